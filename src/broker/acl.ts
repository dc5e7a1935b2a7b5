import type { DeviceId } from '../device.ts';

/**
 * The `acl_file` of mosquitto.conf(5): a device has the topics below its own id, `%u` being the CN of its
 * certificate; a back end has those of all devices.
 */
export function aclFile(backEnds: readonly DeviceId[]): string {
  const all = backEnds.map((id) => `\nuser ${id}\ntopic readwrite private/#\n`);
  return `pattern readwrite private/%u/#\n${all.join('')}`;
}
