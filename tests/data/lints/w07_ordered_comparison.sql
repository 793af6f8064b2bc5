FOREACH payload.sensors AS s
DO s.id AS id
INCASE s.temp > 30 AND 100 <= s.load OR is_num(s.rain) AND s.rain > 1
FROM "house/+"
WHERE payload.wind >= 5 AND payload.wind < 100 AND qos > 0 AND payload.gust < 9
