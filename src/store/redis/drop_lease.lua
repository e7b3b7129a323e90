-- Removes a lease if its holder still has it. KEYS and ARGV as for putting one, as far as they go.
if redis.call('STRLEN', KEYS[1]) > tonumber(ARGV[3]) then
  return 0
end
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 1, #ARGV[2]) == ARGV[2] then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
end
return 0
