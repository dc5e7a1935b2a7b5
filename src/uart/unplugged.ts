import { stat } from 'node:fs/promises';

/**
 * Calls `act` once when the file of a serial line is gone or is another one, and returns what ends the watch. It is looked
 * after because serialport does not always say: it reads the end of file of an unplugged line over and over
 * (https://github.com/serialport/bindings-cpp/issues/162), which takes a whole core until the port is closed.
 * @throws Error of the system if there is no such file now
 */
export async function watchForUnplugging(path: string, act: () => void): Promise<() => void> {
  const { ino, rdev } = await stat(path);
  const look = async () => {
    const now = await stat(path).catch(() => undefined);
    if (now?.ino === ino && now.rdev === rdev) return;
    clearInterval(timer);
    act();
  };
  const timer = setInterval(() => void look(), lookEveryMs);
  return () => clearInterval(timer);
}

const lookEveryMs = 250;
