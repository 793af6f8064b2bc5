SELECT coalesce(payload.name, 'none') AS name, upper(clientid) AS id, hash('sha256', topic) AS key FROM "t/1"
