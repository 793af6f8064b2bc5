SELECT clientid
FROM "a/b", "+/status"
WHERE payload.state = 'on' AND payload.x = 1
