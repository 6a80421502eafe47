// bullmq 6.7.0, on Redis, with ioredis.
//
// 50 jobs at once, as in its guide ("Concurrency"): 100, as in its own bench (taskforcesh/bullmq-bench), and 300 were
// slower. The guide recommends more workers in more processes; on two processors, one of which Redis has, a second
// process was slower.
// Finished jobs are removed ("Auto-removal of jobs"), which is both what the guide advises and the faster way.
// Enqueued with `addBulk` ("Adding jobs in bulk"), a thousand a call.
'use strict'

const { Queue, Worker } = require('bullmq')
const Redis = require('ioredis')
const common = require('./common.cjs')

const PROCESSES = 1
const CONCURRENCY = 50
const QUEUE = 'noop'

// A worker waits in Redis, so its requests must not be given up.
const connect = () => new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null })

async function worker () {
  const options = { connection: connect(), concurrency: CONCURRENCY, autorun: false }
  const worker = new Worker(QUEUE, async () => common.ran(), options)
  await worker.waitUntilReady()
  return () => worker.run()
}

async function main () {
  const queue = new Queue(QUEUE, { connection: connect() })
  await queue.waitUntilReady()
  const jobs = common.payloads().map((data) => ({ name: 'noop', data, opts: { removeOnComplete: true } }))
  const enqueued = await common.enqueue(jobs, (batch) => queue.addBulk(batch))
  const left = async () => {
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed')
    return Object.values(counts).some((count) => count > 0)
  }
  common.report(enqueued, await common.drain(__filename, PROCESSES, left))
}

common.run(common.isWorker ? () => common.work(worker) : main)
