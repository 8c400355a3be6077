-- What wrk sends, and, as one line of JSON, what came of it. After `--`: METHOD PATH BODY RECORDS COUNTED [NAME VALUE]…
-- A global of a thread is seen by done() through thread:get() alone. https://github.com/wg/wrk/blob/master/SCRIPTING
local sender

function setup(thread)
  sender = thread
end

-- Each record in turn, made beforehand.
local function send_each(path, records)
  local made, turn = {}, 0
  for i = 1, 1000 do
    made[i] = wrk.format(nil, path:format(math.ceil(i * records / 1000)))
  end
  request = function()
    turn = turn % #made + 1
    return made[turn]
  end
end

-- Left out where so much comes back that wrk would be the limit: then what is 400 and more is counted by wrk itself.
local function count(status)
  if status < 200 or status > 299 then
    _G["status_" .. status] = (_G["status_" .. status] or 0) + 1
  end
end

function init(args)
  wrk.method, wrk.path, wrk.body = args[1], args[2], args[3] ~= "" and args[3] or nil
  for i = 6, #args, 2 do
    wrk.headers[args[i]] = args[i + 1]
  end
  if args[5] == "counted" then response = count end
  if args[2]:find("%%d") then send_each(args[2], tonumber(args[4])) end
end

function done(summary, latency)
  local failures = {}
  for name, number in pairs(summary.errors) do
    if number > 0 then table.insert(failures, ('"%s": %d'):format(name, number)) end
  end
  for status = 100, 599 do
    local number = sender:get("status_" .. status)
    if number then table.insert(failures, ('"%d": %d'):format(status, number)) end
  end
  print(('{"requests": %d, "seconds": %f, "p50": %.3f, "p99": %.3f, "failures": {%s}}'):format(
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    table.concat(failures, ", ")))
end
