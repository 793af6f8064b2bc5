SELECT
  now_rfc3339() AS a,
  unix_ts_to_rfc3339(timestamp, 'millisecond') AS b,
  format_date('second', 'local', '%H:%M') AS c,
  format_date('second', '+01:00', '%H:%M') AS d,
  date_to_unix_ts('second', 'local', '%Y-%m-%d', payload.day) AS e,
  timezone_to_offset_seconds('local') AS f
FROM "t/1"
