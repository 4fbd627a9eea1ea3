import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { databaseFile } from '../../journal/database.ts';
import { JournalReader } from '../../journal/reader.ts';
import { verifyChain } from '../../journal/verify.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import type { Finding } from './finding.ts';

/** Newest entries whose chain is walked here; `quanwei verify` walks all of it. */
const TAIL = 10_000;

/** Whether the journal opens and the end of its chain holds, and whether a damaged one was set aside. */
export function checkJournal(dir: string): Finding[] {
  if (existsSync(dir) && !statSync(dir).isDirectory()) {
    return [
      {
        name: 'journal',
        verdict: 'bad',
        text: { zh: `数据目录是一个文件：${dir}`, en: `The data directory is a file: ${dir}` },
        advice: { zh: '`data:` 应写一个目录', en: '`data:` names a directory' },
      },
    ];
  }
  const findings = [openAndVerify(dir)];
  const aside = existsSync(dir)
    ? readdirSync(dir).filter((name) => /\.damaged-/.test(name) && !/-(wal|shm)$/.test(name))
    : [];
  if (aside.length > 0) {
    findings.push({
      name: 'journal.aside',
      verdict: 'doubtful',
      text: {
        zh: `有损坏后被移开的数据库：${aside.join(', ')}`,
        en: `A damaged database was set aside: ${aside.join(', ')}`,
      },
      figures: { files: aside.length },
      advice: {
        zh: '先保留；用 quanwei restore 恢复备份，或交给支持人员取回记录，之后再删除',
        en: 'keep it; restore a backup or let support recover records from it, then remove it',
      },
    });
  }
  return findings;
}

function openAndVerify(dir: string): Finding {
  if (!existsSync(databaseFile(dir))) {
    return {
      name: 'journal',
      verdict: 'good',
      text: { zh: '还没有日志：首次启动时建立', en: 'No journal yet: the first start makes it' },
      figures: { entries: 0 },
    };
  }
  try {
    const reader = JournalReader.open(dir);
    try {
      const { head, entries, broken } = verifyChain(reader.database, { newest: TAIL });
      return {
        name: 'journal',
        verdict: broken === null ? 'good' : 'bad',
        text:
          broken === null
            ? {
                zh: `日志正常：共 ${head} 条，最新 ${entries} 条校验通过`,
                en: `Journal: ${head} entries, the newest ${entries} verified`,
              }
            : {
                zh: `日志第 ${broken.seq} 条被改动`,
                en: `Journal: the chain breaks at entry ${broken.seq}: ${broken.why}`,
              },
        figures: { head, verified: entries, brokenAt: broken?.seq ?? null },
        ...(broken === null
          ? {}
          : {
              advice: { zh: '保留现场并恢复备份', en: `keep ${join(dir, 'quanwei.db')} as it is and restore a backup` },
            }),
      };
    } finally {
      reader.close();
    }
  } catch (thrown) {
    const said = thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown);
    return {
      name: 'journal',
      verdict: 'bad',
      text: { zh: '日志打不开', en: `Journal cannot be opened: ${said}` },
      advice: { zh: '见 docs/operations.md “数据损坏”', en: 'see docs/operations.md, “a damaged database”' },
    };
  }
}
