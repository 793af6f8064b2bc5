SELECT
  topic() AS topic,
  topic(2) AS room,
  flag('retain') AS retain,
  payload('x.y') AS x,
  msgid() AS id,
  flags() AS flags,
  clientid() AS who
FROM "t/+"
WHERE qos() > 0 AND clientid() = 'x'
