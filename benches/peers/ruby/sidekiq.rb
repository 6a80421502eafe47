# sidekiq 6.4.1, on Redis.
#
# As its own load test runs it (bin/sidekiqload): `Sidekiq::Launcher` in the process, log level ERROR. Ruby's lock keeps
# a process to one processor, so there are two; five threads each, since the load test's ten were slower. Not with
# hiredis, which the load test has in a comment only, and Sidekiq 7 dropped.
# Enqueued with `push_bulk`, a thousand a call as its documentation advises ("I wouldn't recommend pushing more than
# 1000 per call").

require "json"
require "securerandom"
require "sidekiq"
require "sidekiq/cli"
require "sidekiq/launcher"

Sidekiq.logger.level = Logger::ERROR
# redis-rb 4.8 prints a warning for each call that this Sidekiq makes, which would cost more than the job.
Redis.silence_deprecations = true

JOBS = Integer(ENV.fetch("PEERS_JOBS"))
PROCESSES = 2
THREADS = 5
BATCH = 1000
# How long nothing may happen before a drain counts as stuck.
STUCK = 60
# How often a worker process tells how many jobs it ran.
TELL = 0.005

class Noop
  include Sidekiq::Worker

  LOCK = Mutex.new
  @count = 0
  class << self
    attr_accessor :count
  end

  def perform(_payload)
    LOCK.synchronize { Noop.count += 1 }
  end
end

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

def enqueue
  # Arguments of about 200 bytes, as `docket bench` has them.
  payloads = Array.new(JOBS) { [{ "ms" => 0, "text" => SecureRandom.alphanumeric(180) }] }
  Sidekiq.redis(&:ping)
  begun = now
  payloads.each_slice(BATCH) { |batch| Sidekiq::Client.push_bulk("class" => Noop, "args" => batch) }
  now - begun
end

# A worker process: it is ready when it has connected, begins when it is told to, and tells its count.
def work(go, told)
  Sidekiq.configure_server do |config|
    config.options[:concurrency] = THREADS
    config.options[:queues] << "default"
  end
  launcher = Sidekiq::Launcher.new(Sidekiq.options)
  Sidekiq.redis(&:ping)
  told.puts("ready")
  go.gets
  launcher.run
  last = 0
  loop do
    sleep(TELL)
    count = Noop.count
    told.puts(last = count) if count != last
    # The pipe's end is the end of the process that waits.
    exit!(0) if go.wait_readable(0)
  end
end

Worker = Struct.new(:pid, :go, :told, :count)

def start
  go_reader, go = IO.pipe
  told, told_writer = IO.pipe
  pid = fork do
    go.close
    told.close
    told_writer.sync = true
    work(go_reader, told_writer)
  end
  go_reader.close
  told_writer.close
  Worker.new(pid, go, told, 0)
end

# Reads what the workers have told since, and whether anything was said.
def listen(workers)
  ready, = IO.select(workers.map(&:told), nil, nil, 0.1)
  (ready || []).each do |told|
    worker = workers.find { |one| one.told == told }
    line = told.gets or abort("a worker ended")
    worker.count = Integer(line) unless line == "ready\n"
  end
  !ready.nil?
end

def drain
  workers = Array.new(PROCESSES) { start }
  workers.each { |worker| worker.told.gets or abort("a worker ended before it was ready") }
  begun = heard = now
  workers.each { |worker| worker.go.puts("begin") }
  while workers.sum(&:count) < JOBS
    heard = now if listen(workers)
    abort("#{workers.sum(&:count)} of #{JOBS} jobs ran, then nothing happened") if now - heard > STUCK
  end
  seconds = now - begun
  left = Sidekiq.redis { |redis| redis.llen("queue:default") }
  ran = workers.sum(&:count)
  workers.each { |worker| Process.kill(:KILL, worker.pid) }
  workers.each { |worker| Process.wait(worker.pid) }
  abort("#{ran} jobs ran and #{left} are left; #{JOBS} were enqueued") unless ran == JOBS && left.zero?
  seconds
end

enqueued = enqueue
drained = drain
puts({ enqueue_per_second: JOBS / enqueued, drain_per_second: JOBS / drained }.to_json)
