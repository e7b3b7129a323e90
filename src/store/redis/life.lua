-- What this start of the server is called. Nothing where the server or its access rules do not tell.
local info = redis.pcall('INFO', 'server')
return type(info) == 'string' and string.match(info, 'run_id:(%x+)') or false
