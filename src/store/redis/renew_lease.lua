-- Renews a lease if its holder still has it. KEYS and ARGV as for putting one, as far as they go.
if redis.call('STRLEN', KEYS[1]) > tonumber(ARGV[5]) then
  return 0
end
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, #ARGV[2]) ~= ARGV[2] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[2], 2 * ARGV[4])
end
return 1
