// pg-boss 10.4.2, on PostgreSQL. It keeps a job when it is done.
//
// A worker fetches and completes a batch at a time (`batchSize` of `work`), here 5,000: 1,000 was slower. By default it
// then waits for its polling interval, at least half a second; `notifyWorker` makes it "bypass the job polling
// interval", so each batch is followed by the next. Both are in its API documentation. A second process was no faster on
// two processors.
// Enqueued with `insert`, the API's bulk call, a thousand a call.
'use strict'

const PgBoss = require('pg-boss')
const { Client } = require('pg')
const common = require('./common.cjs')

const PROCESSES = 1
const BATCH = 5000
const QUEUE = 'noop'

async function start () {
  const boss = new PgBoss(process.env.DATABASE_URL)
  boss.on('error', console.error)
  await boss.start()
  return boss
}

async function worker () {
  const boss = await start()
  return async () => {
    const options = { batchSize: BATCH, pollingIntervalSeconds: 0.5 }
    let id
    const handler = async (jobs) => {
      for (const _job of jobs) common.ran()
      boss.notifyWorker(await id)
    }
    id = boss.work(QUEUE, options, handler)
  }
}

async function main () {
  const boss = await start()
  await boss.createQueue(QUEUE)
  const jobs = common.payloads().map((data) => ({ name: QUEUE, data }))
  const enqueued = await common.enqueue(jobs, (batch) => boss.insert(batch))
  await boss.stop({ graceful: false })

  const client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  // As autovacuum does some time after a table has grown.
  await client.query('vacuum analyze')
  const left = async () => {
    const sql = "select exists (select from pgboss.job where name = $1 and state <> 'completed')"
    return (await client.query(sql, [QUEUE])).rows[0].exists
  }
  common.report(enqueued, await common.drain(__filename, PROCESSES, left))
}

common.run(common.isWorker ? () => common.work(worker) : main)
