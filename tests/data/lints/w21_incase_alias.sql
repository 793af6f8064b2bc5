FOREACH payload.sensors AS s
DO s.temp AS temp, s.id AS id
INCASE temp > 30 AND s.id != '' AND id != 'x'
FROM "house/+"
