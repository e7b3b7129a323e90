-- Lists live leases in the order of their names: name, value, milliseconds left, and so on.
-- KEYS: the index of names. ARGV: what keys of leases begin with, the first and the last name, the
-- most bytes that are read. Of a value that has more its size is told.
local found = {}
for _, name in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3])) do
  local key = ARGV[1] .. name
  local value = redis.call('STRLEN', key)
  if value <= tonumber(ARGV[4]) then
    value = redis.call('GET', key)
  end
  if value then
    found[#found + 1] = name
    found[#found + 1] = value
    found[#found + 1] = redis.call('PTTL', key)
  end
end
return found
