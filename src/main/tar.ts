const BLOCK = 512;

export interface ArchiveFile {
  /** Relative path inside the archive; ASCII, at most 100 characters. */
  readonly name: string;
  readonly content: Buffer | string;
}

/** A tar archive (POSIX.1-1988 ustar) of plain files, mode 0600. @param mtime ms since the epoch */
export function tar(files: readonly ArchiveFile[], mtime: number): Buffer {
  const blocks = files.flatMap(({ name, content }) => {
    const body = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    return [header(name, body.length, mtime), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header(name: string, size: number, mtime: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number) =>
    block.write(
      `${Math.floor(value)
        .toString(8)
        .padStart(width - 1, '0')}\0`,
      at,
      'latin1',
    );
  block.write(name, 0, 100, 'latin1');
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(mtime / 1_000, 136, 12);
  // The checksum is taken with its own field filled with spaces.
  block.write('        0', 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  block[155] = 0x20;
  return block;
}
