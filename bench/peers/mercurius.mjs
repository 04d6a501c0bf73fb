// Mercurius with graphql-jit over the hub's own database: the same fields, filter, policy, addresses and cursors as the
// hub answers them, by hand-written SQL and batched loaders. It listens on a free port and prints its address.
//
//   node mercurius.mjs '{"database": "sqlite:/…" or "postgresql://…", "application": …, "secret": …, "publicUrl": …,
//     "logs": false}'

import { createHash, createHmac } from 'node:crypto'
import Fastify from 'fastify'
import mercurius from 'mercurius'

const told = JSON.parse(process.argv[2])
const STEP = 900_000
const STEPS = 4

const SDL = `
  scalar DateTime
  scalar BigInt
  scalar Sha256
  scalar URL
  enum AssetKind { IMAGE VIDEO AUDIO DOCUMENT TEMPLATE FONT LOGO COPY ARCHIVE DATASET }
  enum AssetLifecycle {
    DRAFT IN_REVIEW CHANGES_REQUESTED APPROVED PUBLISHED WITHDRAWN EXPIRED ARCHIVED QUARANTINED
  }
  enum RenditionState { QUEUED RUNNING READY FAILED }
  input TagFilter { anyOf: [ID!] }
  input AssetWhere { tags: TagFilter }
  type Tag { id: ID! name: String! }
  type SignedUrl { url: URL! validUntil: DateTime! }
  type Rendition { id: ID! preset: String! state: RenditionState! width: Int height: Int url: SignedUrl }
  type AssetVersion {
    id: ID! number: Int! sha256: Sha256! mediaType: String! byteSize: BigInt! width: Int height: Int
    renditions: [Rendition!]!
  }
  type Asset {
    id: ID! title: String! kind: AssetKind! lifecycle: AssetLifecycle! revision: Int! createdAt: DateTime!
    tags: [Tag!]! current: AssetVersion
  }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type AssetConnection { nodes: [Asset!]! pageInfo: PageInfo! totalCount: Int! }
  type Query { asset(id: ID!): Asset assets(first: Int, where: AssetWhere): AssetConnection! }
`

const ASSET = 'asset.id, title, kind, lifecycle, revision, public_revision, created_at, current_version_id, approved_version_id'
const VERSION = 'id, number, sha256, media_type, byte_size, width, height'

const store = told.database.startsWith('sqlite:') ? await sqlite() : await postgres()

async function sqlite () {
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(told.database.slice('sqlite:'.length), { readonly: true, fileMustExist: true })
  database.pragma('cache_size = -65536')
  database.pragma('temp_store = MEMORY')
  const prepared = new Map()
  return {
    all (sql, values) {
      let statement = prepared.get(sql)
      if (statement === undefined) prepared.set(sql, statement = database.prepare(sql))
      return statement.all(values)
    },
    keys: (ids) => JSON.stringify(ids),
    among: (column) => `${column} IN (SELECT value FROM json_each(?))`,
    within: (column, select) => `${column} IN (${select})`,
    instant: (value) => spoken(new Date(Math.floor(value / 1000)), value % 1000000),
    micros: (value) => value
  }
}

async function postgres () {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({
    connectionString: told.database,
    application_name: told.application,
    options: '-c timezone=UTC',
    max: 8
  })
  // Moments as the text that is wanted: pg's Date knows no microseconds.
  pg.types.setTypeParser(1184, (text) => text)
  const prepared = new Map()
  return {
    async all (sql, values) {
      let known = prepared.get(sql)
      if (known === undefined) {
        let at = 0
        known = { name: `s${prepared.size}`, text: sql.replace(/\?/g, () => `$${++at}`) }
        prepared.set(sql, known)
      }
      return (await pool.query({ name: known.name, text: known.text, values })).rows
    },
    keys: (ids) => ids,
    among: (column) => `${column} = ANY(?::bigint[])`,
    within: (column, select) => `${column} = ANY(ARRAY(${select}))`,
    instant: (text) => text.replace(' ', 'T').replace(/\+00$/, 'Z'),
    micros: (text) => Date.parse(text.replace(' ', 'T').replace(/\+00$/, 'Z')) * 1000
  }
}

function spoken (date, micros) {
  const whole = date.toISOString().slice(0, 19)
  return micros === 0 ? `${whole}Z` : `${whole}.${String(micros).padStart(6, '0')}Z`
}

const globalId = (type, number) => Buffer.from(`${type}:${number}`).toString('base64url')

function numberOf (type, id) {
  const [found, number] = Buffer.from(id, 'base64url').toString().split(':')
  return found === type && /^\d{1,15}$/.test(number) ? Number(number) : 0
}

// ---------------------------------------------------------------- who asks, and what they see

const WHO = `
  SELECT principal.id, principal.org_id, principal.is_administrator, token.id AS token
  FROM token JOIN principal ON principal.id = token.principal_id
  WHERE token.digest = ? AND token.purpose = 'API' AND token.revoked_at IS NULL AND token.expires_at IS NULL
    AND principal.disabled_at IS NULL`
const TREES = `
  SELECT DISTINCT below.id
  FROM access_grant
  JOIN role ON role.id = access_grant.role_id
  JOIN organisation above ON above.id = access_grant.org_id
  JOIN organisation below ON below.path LIKE above.path || '%'
  WHERE access_grant.principal_id = ? AND access_grant.revoked_at IS NULL AND access_grant.expires_at IS NULL
    AND role.archived_at IS NULL AND access_grant.scope = 'ORGANISATION'`

async function viewer (request) {
  const [, token] = (request.headers.authorization ?? '').split(' ')
  const [row] = await store.all(WHO, [createHash('sha256').update(token ?? '').digest('hex')])
  if (row === undefined) throw new Error('Sign in first.')
  const of = { id: Number(row.id), token: Number(row.token), sees: 'true', version: 'current_version_id', revision: 'revision' }
  if (row.is_administrator) return of
  const orgs = (await store.all(TREES, [row.id])).map((each) => Number(each.id)).join(', ')
  const boxes = await store.all(
    `SELECT lightbox_id FROM share WHERE ended_at IS NULL AND ends_at IS NULL AND to_org_id IN (${orgs})
     AND lightbox_id IS NOT NULL`, [])
  const opened = boxes.map((each) => Number(each.lightbox_id)).join(', ') || 'NULL'
  const inside = `SELECT lightbox_asset.asset_id FROM lightbox_asset WHERE lightbox_asset.lightbox_id IN (${opened})`
  const shared = `SELECT share.asset_id FROM share WHERE share.ended_at IS NULL AND share.ends_at IS NULL
    AND share.to_org_id IN (${orgs}) AND share.lightbox_id IS NULL`
  of.sees = `(asset.org_id IN (${orgs}) OR ${store.within('asset.id', inside)} OR ${store.within('asset.id', shared)})
    AND approved_version_id IS NOT NULL AND lifecycle NOT IN ('ARCHIVED', 'WITHDRAWN', 'EXPIRED', 'QUARANTINED')`
  of.version = 'approved_version_id'
  of.revision = 'public_revision'
  return of
}

// ---------------------------------------------------------------- the fields

const asset = (row, viewer) => ({
  number: row.id,
  shown: row[viewer.version],
  id: globalId('Asset', row.id),
  title: row.title,
  kind: row.kind,
  lifecycle: row.lifecycle,
  revision: row[viewer.revision],
  createdAt: store.instant(row.created_at),
  moment: row.created_at
})

async function list (where, { viewer }) {
  const parts = [viewer.sees, "lifecycle <> 'ARCHIVED'"]
  if (where?.tags?.anyOf) {
    const named = where.tags.anyOf.map((id) => numberOf('Tag', id))
    const down = await store.all(
      `WITH RECURSIVE down AS (SELECT id FROM tag WHERE ${store.among('id')}
       UNION SELECT tag.id FROM tag JOIN down ON tag.parent_id = down.id) SELECT id FROM down`, [store.keys(named)])
    const tags = down.map((row) => Number(row.id)).join(', ') || 'NULL'
    parts.push(`asset.id IN (SELECT asset_id FROM asset_tag WHERE tag_id IN (${tags}))`)
  }
  return parts.join(' AND ')
}

async function assets (_, { first = 20, where }, context) {
  const condition = await list(where, context)
  const rows = await store.all(
    `SELECT ${ASSET} FROM asset WHERE ${condition} ORDER BY created_at DESC, id DESC LIMIT ?`, [first + 1])
  const nodes = rows.slice(0, first).map((row) => asset(row, context.viewer))
  return { condition, where, nodes, more: rows.length > first }
}

const resolvers = {
  Query: {
    assets,
    async asset (_, { id }, { viewer }) {
      const [row] = await store.all(`SELECT ${ASSET} FROM asset WHERE id = ? AND ${viewer.sees}`, [numberOf('Asset', id)])
      return row === undefined ? null : asset(row, viewer)
    }
  },
  AssetConnection: {
    pageInfo ({ nodes, more, where }) {
      const last = nodes.at(-1)
      return { hasNextPage: more, endCursor: last === undefined ? null : cursor(last, where) }
    },
    async totalCount ({ condition }) {
      return Number((await store.all(`SELECT count(*) AS count FROM asset WHERE ${condition}`, []))[0].count)
    }
  },
  Rendition: {
    url: (rendition, _, { viewer }) => address(rendition, viewer)
  }
}

const loaders = {
  Asset: {
    tags: {
      async loader (queries) {
        const rows = await store.all(
          `SELECT asset_tag.asset_id, tag.id, tag.name FROM asset_tag JOIN tag ON tag.id = asset_tag.tag_id
           WHERE ${store.among('asset_tag.asset_id')} ORDER BY asset_tag.asset_id, tag.folded, tag.id`,
          [store.keys(queries.map(({ obj }) => obj.number))])
        const found = grouped(rows, 'asset_id', (row) => ({ id: globalId('Tag', row.id), name: row.name }))
        return queries.map(({ obj }) => found.get(obj.number) ?? [])
      },
      opts: { cache: false }
    },
    current: {
      async loader (queries) {
        const rows = await store.all(
          `SELECT ${VERSION} FROM asset_version WHERE ${store.among('id')}`,
          [store.keys(queries.map(({ obj }) => obj.shown))])
        const found = new Map(rows.map((row) => [row.id, version(row)]))
        return queries.map(({ obj }) => found.get(obj.shown) ?? null)
      },
      opts: { cache: false }
    }
  },
  AssetVersion: {
    renditions: {
      async loader (queries) {
        const rows = await store.all(
          `SELECT rendition.version_id, rendition.id, rendition_preset.name AS preset, rendition.state, rendition.width,
             rendition.height, rendition.sha256
           FROM rendition JOIN rendition_preset ON rendition_preset.id = rendition.preset_id
           WHERE (rendition.params_digest = rendition_preset.params_digest OR rendition.state = 'READY')
             AND rendition_preset.archived_at IS NULL AND ${store.among('rendition.version_id')}
           ORDER BY rendition.version_id, rendition.preset_id,
             CASE WHEN rendition.params_digest = rendition_preset.params_digest THEN 0 ELSE 1 END, rendition.id DESC`,
          [store.keys(queries.map(({ obj }) => obj.version))])
        const found = grouped(rows, 'version_id', (row) => ({ ...row, row: row.id, id: globalId('Rendition', row.id) }))
        return queries.map(({ obj }) => once(found.get(obj.version) ?? []))
      },
      opts: { cache: false }
    }
  }
}

const version = (row) => ({
  version: row.id,
  id: globalId('AssetVersion', row.id),
  number: row.number,
  sha256: row.sha256,
  mediaType: row.media_type,
  byteSize: String(row.byte_size),
  width: row.width,
  height: row.height
})

function grouped (rows, key, made) {
  const found = new Map()
  for (const row of rows) {
    const known = found.get(row[key])
    if (known === undefined) found.set(row[key], [made(row)])
    else known.push(made(row))
  }
  return found
}

// Of the renditions of one preset the first counts.
const once = (rows) => rows.filter((row, at) => at === 0 || rows[at - 1].preset !== row.preset)

// ---------------------------------------------------------------- addresses and cursors, signed as the hub signs them

const mac = (key, body) => createHmac('sha256', key).update(body).digest()
const FILES = mac(told.secret, 'imprimatur/files/1')

function address ({ row, state, sha256 }, viewer) {
  if (state !== 'READY' || sha256 === null) return null
  const expires = Math.floor(Date.now() / STEP) + STEPS
  const digest = Buffer.from(sha256, 'hex').toString('base64')
  const body = Buffer.from(`{"d":"${digest}","e":${expires},"i":${row},"k":"r","t":${viewer.token},"w":${viewer.id}}`)
  const token = Buffer.concat([mac(FILES, body), body]).toString('base64url')
  return { url: `${told.publicUrl}/files/${token}`, validUntil: spoken(new Date(expires * STEP), 0) }
}

function cursor ({ moment, number }, where) {
  const scope = createHash('sha256').update(JSON.stringify(['assets', where])).digest('hex').slice(0, 16)
  const body = `[{"t":${store.micros(moment)}},${number}]`
  return Buffer.concat([mac(told.secret, scope + body).subarray(0, 12), Buffer.from(body)]).toString('base64url')
}

const app = Fastify({ logger: told.logs })
app.register(mercurius, {
  schema: SDL,
  resolvers,
  loaders,
  jit: 1,
  context: async (request) => ({ viewer: await viewer(request) })
})
const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`Mercurius answers at ${url}\n`)
