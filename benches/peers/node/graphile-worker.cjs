// graphile-worker 0.17.3, on PostgreSQL. It deletes a job when it is done.
//
// Options are those of its page "Performance" (worker.graphile.org/docs/performance): 24 jobs at once on 25
// connections, a local queue of 500, and completions together without a delay (`completeJobBatchDelay: 0`). The page
// scales over processes too; on two processors, one of which PostgreSQL has, a second process was no faster.
// Enqueued with `addJobs`, the page's "single add_jobs batch call", a thousand a call.
'use strict'

const { Logger, makeWorkerUtils, run: runWorker } = require('graphile-worker')
const { Client } = require('pg')
const common = require('./common.cjs')

const PROCESSES = 1

const preset = {
  worker: {
    connectionString: process.env.DATABASE_URL,
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
    // Its default writes a line for each job.
    logger: new Logger(() => (level, message) => { if (level === 'error') console.error(message) })
  }
}

async function worker () {
  return () => runWorker({ preset, taskList: { noop: async () => common.ran() } })
}

async function main () {
  const utils = await makeWorkerUtils({ preset })
  await utils.migrate()
  const jobs = common.payloads().map((payload) => ({ identifier: 'noop', payload }))
  const enqueued = await common.enqueue(jobs, (batch) => utils.addJobs(batch))
  await utils.release()

  const client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  // As autovacuum does some time after a table has grown.
  await client.query('vacuum analyze')
  const left = async () => {
    const { rows } = await client.query('select exists (select from graphile_worker._private_jobs)')
    return rows[0].exists
  }
  common.report(enqueued, await common.drain(__filename, PROCESSES, left))
}

common.run(common.isWorker ? () => common.work(worker) : main)
