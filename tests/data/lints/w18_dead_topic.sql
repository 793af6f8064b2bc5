SELECT *
FROM
  "a/#/b",
  "$share/group/a/b",
  "$queue/a",
  "$events/client_conected",
  "$events/message_publish",
  "message.publish",
  "client.connected",
  "$SYS/brokers",
  "t/+", "t/1", "t/+",
  "$events/client_connected"
