-- Sends each line of the file named by BODIES once, as a POST to the path of the address given.
local requests, position = {}, 0

function init()
  local headers = { ["content-type"] = "application/json" }
  for line in io.lines(os.getenv("BODIES")) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, line)
  end
end

function request()
  position = position + 1
  if position >= #requests then wrk.thread:stop() end
  return requests[math.min(position, #requests)]
end

function done(summary, latency)
  local errors = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors))
end
