SELECT
  clientid,
  nth(2, tokens(topic, "/")) AS room,
  CASE WHEN payload.mode = "auto" THEN 1 ELSE 0 END AS mode,
  "clientid" AS same
FROM "house/+"
WHERE payload.cmd IN ("on", 'off') AND "it's" != payload.x
