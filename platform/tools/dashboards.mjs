// Makes Grafana's dashboards out of their short form: node dashboards.mjs [--check] FILE...
// Each FILE.yaml becomes FILE.json beside it. Prints {"dashboards": {file: {"uid", "exprs": [{language, expr}]}}, "stale": [...]}.
import fs from 'node:fs';
import path from 'node:path';
import yaml from 'js-yaml';

const check = process.argv[2] === '--check';
const files = process.argv.slice(check ? 3 : 2);
const sources = {
  prometheus: { type: 'prometheus', uid: 'prometheus' },
  loki: { type: 'loki', uid: 'loki' },
  tempo: { type: 'tempo', uid: 'tempo' },
  pyroscope: { type: 'grafana-pyroscope-datasource', uid: 'pyroscope' },
};
const columns = 24;

function target(language, query, index) {
  const refId = String.fromCharCode(65 + index);
  const common = { refId, datasource: sources[language] };
  switch (language) {
    case 'prometheus':
      return { ...common, expr: query.expr, legendFormat: query.legend ?? '__auto', exemplar: query.exemplar ?? false,
        instant: query.instant ?? false, range: !query.instant, format: query.instant ? 'table' : 'time_series' };
    case 'loki':
      return { ...common, expr: query.expr, queryType: 'range' };
    case 'pyroscope':
      return { ...common, profileTypeId: query.profile, labelSelector: query.expr, queryType: 'profile', groupBy: [] };
    case 'tempo':
      return { ...common, queryType: query.map ? 'serviceMap' : 'traceql', query: query.expr };
    default:
      throw new Error(`no source ${language}`);
  }
}

function panel(spec, id, at) {
  const language = Object.keys(sources).find(name => spec[name]) ?? 'prometheus';
  const queries = [spec[language] ?? []].flat().map(query => (typeof query === 'string' ? { expr: query } : query));
  const thresholds = [{ color: 'green', value: null }, ...(spec.thresholds ?? []).map(([value, color]) => ({ color, value }))];
  return {
    id,
    type: spec.type ?? 'timeseries',
    title: spec.title,
    ...(spec.says ? { description: spec.says } : {}),
    datasource: sources[language],
    gridPos: at,
    fieldConfig: {
      defaults: {
        unit: spec.unit ?? 'short',
        ...(spec.max === undefined ? {} : { max: spec.max }),
        min: spec.min ?? 0,
        thresholds: { mode: 'absolute', steps: thresholds },
        custom: spec.type === undefined ? { fillOpacity: 8, showPoints: 'never', spanNulls: 60000, stacking: { mode: spec.stack ? 'normal' : 'none' } } : {},
      },
      overrides: [],
    },
    options: {
      timeseries: { legend: { displayMode: 'table', placement: 'bottom', calcs: ['mean', 'max'] }, tooltip: { mode: 'multi', sort: 'desc' } },
      stat: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'background', graphMode: 'area' },
      table: { showHeader: true },
      logs: { showTime: true, wrapLogMessage: true },
    }[spec.type ?? 'timeseries'] ?? {},
    targets: queries.map((query, index) => target(language, query, index)),
  };
}

function dashboard(spec) {
  let [x, y, height, id] = [0, 0, 0, 0];
  const panels = [];
  for (const item of spec.panels) {
    if (item.row) {
      [x, y] = [0, y + height];
      panels.push({ id: ++id, type: 'row', title: item.row, collapsed: false, gridPos: { h: 1, w: columns, x: 0, y }, panels: [] });
      [y, height] = [y + 1, 0];
      continue;
    }
    const [w, h] = [item.w ?? 8, item.h ?? 8];
    if (x + w > columns) {
      [x, y, height] = [0, y + height, 0];
    }
    panels.push(panel(item, ++id, { h, w, x, y }));
    [x, height] = [x + w, Math.max(height, h)];
  }
  const variables = (spec.variables ?? []).map(variable => ({
    name: variable.name, type: 'query', datasource: sources.prometheus, query: { query: variable.query, refId: 'A' }, definition: variable.query,
    refresh: 2, multi: true, includeAll: true, allValue: '.*', current: { text: 'All', value: '$__all' }, sort: 1,
  }));
  return {
    uid: spec.uid, title: spec.title, description: spec.says, tags: ['localplus', ...(spec.tags ?? [])], timezone: 'utc', schemaVersion: 39, version: 1,
    editable: false, refresh: '30s', time: { from: spec.from ?? 'now-3h', to: 'now' }, graphTooltip: 1,
    links: [{ type: 'dashboards', tags: ['localplus'], title: 'LocalPlus', asDropdown: true, includeVars: true, keepTime: true }],
    annotations: { list: [{ name: 'Alerts', enable: true, iconColor: 'red', datasource: sources.prometheus,
      expr: 'ALERTS{alertstate="firing",severity=~"P1|P2"}', titleFormat: '{{alertname}}', textFormat: '{{service}}' }] },
    templating: { list: variables },
    panels,
  };
}

const result = { dashboards: {}, stale: [] };
for (const file of files) {
  const spec = yaml.load(fs.readFileSync(file, 'utf8'));
  const made = dashboard(spec);
  const text = `${JSON.stringify(made, null, 1)}\n`;
  const to = file.replace(/\.yaml$/, '.json');
  if (!fs.existsSync(to) || fs.readFileSync(to, 'utf8') !== text) {
    result.stale.push(path.basename(to));
    if (!check) {
      fs.writeFileSync(to, text);
    }
  }
  result.dashboards[path.basename(file, '.yaml')] = {
    uid: made.uid,
    exprs: [
      ...made.panels.flatMap(p => (p.targets ?? []).map(t => ({ panel: p.title, language: t.datasource.type, expr: t.expr ?? t.query ?? t.labelSelector ?? '' }))),
      ...made.templating.list.map(v => ({ panel: `variable ${v.name}`, language: 'variable', expr: v.definition })),
    ],
  };
}
process.stdout.write(JSON.stringify(result));
