import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
const root = process.cwd();
const { compound, gateway } = await import(root + '/tests/bench/compound.ts');
const dir = mkdtempSync('/tmp/qs-');
const g = await gateway(dir, compound(20, 4).devices, {}, {});
cpSync('/tmp/big', g.data, { recursive: true });
const cpu = () => { const s = readFileSync(`/proc/${g.pid}/stat`,'utf8'); const f = s.slice(s.lastIndexOf(')')+2).split(' '); return (Number(f[11])+Number(f[12]))*10; };
const rss = () => { const s = readFileSync(`/proc/${g.pid}/status`,'utf8'); return /VmRSS:\s+(\d+)/.exec(s)![1] + ' anon ' + /RssAnon:\s+(\d+)/.exec(s)![1] + ' file ' + /RssFile:\s+(\d+)/.exec(s)![1]; };
for (let i=0;i<Number(process.argv[2] ?? 3);i++) { const ms = await g.start(); const c = cpu(); await new Promise(r=>setTimeout(r,4500)); console.log(g.output.slice(-600)); console.log('start', Math.round(ms), 'cpu ms', c, 'rss', rss()); if (process.argv[3]) await g.stop(); else await g.kill(); }
await g.stop(); rmSync(dir,{recursive:true,force:true}); process.exit(0);
