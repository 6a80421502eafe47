// What the Node peers share: the payload, worker processes with a count of jobs that ran, and the line they print.
'use strict'

const { fork } = require('node:child_process')
const { randomInt } = require('node:crypto')
const { setTimeout: sleep } = require('node:timers/promises')

const JOBS = Number(process.env.PEERS_JOBS)
// Jobs of one call that enqueues.
const BATCH = 1000
// How long nothing may happen before a drain counts as stuck.
const STUCK_MS = 60_000
// How often a worker process tells how many jobs it ran.
const TELL_MS = 5

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

// Arguments of about 200 bytes, as `docket bench` has them.
function payloads () {
  const text = () => Array.from({ length: 180 }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  return Array.from({ length: JOBS }, () => ({ ms: 0, text: text() }))
}

// What a handler does.
let count = 0
function ran () {
  count++
}

// Whether this process is one of the workers.
const isWorker = process.send !== undefined

// In a worker process: `prepare` connects and returns what begins to work. It begins when all workers are ready.
async function work (prepare) {
  const begin = await prepare()
  process.once('disconnect', () => process.exit(0))
  process.once('message', async () => {
    let told = 0
    setInterval(() => {
      if (count !== told) process.send({ count: told = count })
    }, TELL_MS)
    await begin()
  })
  process.send({ ready: true })
}

// In the first process: starts the workers, lets them begin, and returns the seconds until every job ran and `left`
// says that the outcome of none is still to be recorded.
async function drain (script, processes, left) {
  const workers = Array.from({ length: processes }, () => fork(script))
  const counts = new Map()
  let ready = 0
  let ended = false
  for (const worker of workers) {
    worker.on('message', (message) => {
      if (message.ready) ready++
      else counts.set(worker.pid, message.count)
    })
    worker.on('exit', () => { ended = true })
  }
  let [all, since] = [0, performance.now()]
  const check = (what) => {
    if (ended) throw new Error(`${what}, then a worker ended`)
    if (performance.now() - since > STUCK_MS) throw new Error(`${what}, then nothing happened`)
  }
  while (ready < processes) {
    check('workers start')
    await sleep(5)
  }
  const begun = since = performance.now()
  for (const worker of workers) worker.send('begin')
  for (;;) {
    const now = [...counts.values()].reduce((sum, one) => sum + one, 0)
    // The server is asked only when little can be left, so that asking costs the peer nothing.
    if (now >= JOBS && !(await left())) break
    if (now !== all) [all, since] = [now, performance.now()]
    check(`${now} of ${JOBS} jobs ran`)
    await sleep(2)
  }
  const seconds = (performance.now() - begun) / 1000
  await end(workers)
  const sum = [...counts.values()].reduce((sum, one) => sum + one, 0)
  if (sum !== JOBS) throw new Error(`${sum} jobs ran, ${JOBS} were enqueued`)
  return seconds
}

// An orderly end of the peer is no part of the measurement.
async function end (workers) {
  for (const worker of workers) {
    worker.removeAllListeners('exit')
    const gone = new Promise((resolve) => worker.once('exit', resolve))
    worker.kill('SIGKILL')
    await gone
  }
}

// Enqueues all jobs with `push`, a batch a call, one call after another. Returns the seconds.
async function enqueue (jobs, push) {
  const begun = performance.now()
  for (let at = 0; at < jobs.length; at += BATCH) await push(jobs.slice(at, at + BATCH))
  return (performance.now() - begun) / 1000
}

function report (enqueueSeconds, drainSeconds) {
  const result = { enqueue_per_second: JOBS / enqueueSeconds, drain_per_second: JOBS / drainSeconds }
  console.log(JSON.stringify(result))
  process.exit(0)
}

function run (main) {
  main().catch((error) => {
    console.error(error)
    process.exit(1)
  })
}

module.exports = { payloads, ran, isWorker, work, drain, enqueue, report, run }
