SELECT
  int(qos) + 1 AS qos,
  upper(clientid) AS clientid,
  topic AS topic,
  qos AS next
FROM "t/1"
WHERE clientid = 'c1' AND topic =~ 't/+'
