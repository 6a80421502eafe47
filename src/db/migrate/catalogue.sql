-- Everything in schema $1 that a migration can make: kind, table (or ''), name, definition.
-- Names of the schema itself are taken out, so that two schemas compare.
with
r as (select oid, relname, relkind, relpersistence, reloptions, relacl, relowner from pg_class
      where relnamespace = to_regnamespace($1) and relkind in ('r', 'p', 'v', 'm', 'S')),
p as (select oid, proname, proacl, proowner, pg_get_function_identity_arguments(oid) as arguments from pg_proc
      where pronamespace = to_regnamespace($1) and prokind in ('f', 'p')),
d(kind, tab, name, def) as (
  select 'table', relname::text, relname::text,
         concat_ws(' ', relkind::text, relpersistence::text, array_to_string(array(select unnest(reloptions) order by 1), ','))
  from r where relkind in ('r', 'p')
  union all
  select 'column', r.relname, r.relname || '.' || a.attname,
         concat_ws(' ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
                   'default ' || pg_get_expr(x.adbin, x.adrelid), 'identity ' || nullif(a.attidentity::text, ''),
                   'generated ' || nullif(a.attgenerated::text, ''), 'collate ' || l.collname, 'storage ' || a.attstorage::text)
  from r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef x on x.adrelid = a.attrelid and x.adnum = a.attnum
  left join pg_collation l on l.oid = a.attcollation and l.collname <> 'default'
  where r.relkind in ('r', 'p')
  union all
  select 'index', r.relname, r.relname || '.' || c.relname,
         pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' (invalid)' end
  from r join pg_index i on i.indrelid = r.oid join pg_class c on c.oid = i.indexrelid
  union all
  select 'constraint', r.relname, r.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
  from r join pg_constraint k on k.conrelid = r.oid and k.contype in ('c', 'f', 'p', 'u', 'x')
  union all
  select 'trigger', r.relname, r.relname || '.' || t.tgname, pg_get_triggerdef(t.oid) || ' (' || t.tgenabled::text || ')'
  from r join pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal
  union all
  select 'function', '', format('%s(%s)', proname, arguments),
         -- A function may be bound to its schema.
         replace(pg_get_functiondef(oid), 'SET search_path TO ' || quote_literal($1), 'SET search_path TO itself') from p
  union all
  select 'view', relname, relname, pg_get_viewdef(oid) from r where relkind in ('v', 'm')
  union all
  select 'sequence', '', relname, concat_ws(' ', format_type(seqtypid, null), seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)
  from r join pg_sequence s on s.seqrelid = r.oid
  union all
  select 'type', '', t.typname, (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)
  from pg_type t where t.typnamespace = to_regnamespace($1) and t.typtype = 'e'
  union all
  select 'grant', r.relname, format('%s: %s to %s', r.relname, lower(g.privilege_type), coalesce(o.rolname, 'public')), ''
  from r cross join lateral aclexplode(r.relacl) g left join pg_roles o on o.oid = g.grantee where g.grantee <> r.relowner
  union all
  select 'grant', '', format('%s(%s): %s to %s', proname, arguments, lower(g.privilege_type), coalesce(o.rolname, 'public')), ''
  from p cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g left join pg_roles o on o.oid = g.grantee
  where g.grantee <> p.proowner
)
select kind, tab, replace(name, quote_ident($1) || '.', ''), replace(coalesce(def, ''), quote_ident($1) || '.', '') from d
order by 1, 3
