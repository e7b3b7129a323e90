-- Replaces the document if the stored one is still the expected one, and tells it.
-- KEYS: the document. ARGV: whether one is expected, the expected one, the new one, the channel, the
-- most bytes that are read.
local size = redis.call('STRLEN', KEYS[1])
if size > tonumber(ARGV[5]) then
  return {0, size}
end
local stored = redis.call('GET', KEYS[1])
local is_expected
if ARGV[1] == '1' then
  is_expected = stored == ARGV[2]
else
  is_expected = not stored
end
if not is_expected then
  return {0, stored}
end
redis.call('SET', KEYS[1], ARGV[3])
-- It is stored, whether or not this may be told.
redis.pcall('PUBLISH', ARGV[4], '')
return {1, false}
