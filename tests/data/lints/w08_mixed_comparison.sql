SELECT
  CASE qos WHEN '1' THEN 'one' WHEN 2 THEN 'two' END AS quality,
  clientid > 5 AS big,
  topic = 'a' AS same
FROM "t/1"
WHERE flags.retain = 1
  AND event IN ('message.publish')
  AND qos = 'high' AND qos = '1'
  AND client_attrs = 'x' AND flags.retain = 'true'
  AND strlen(topic) > is_null(username)
  AND payload.x = 5
