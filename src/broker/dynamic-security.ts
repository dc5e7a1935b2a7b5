import type { DeviceId } from '../device.ts';

interface Rule {
  readonly acltype: string;
  readonly topic: string;
  readonly allow: boolean;
}

const backEnd = 'back-end';

/**
 * The configuration of mosquitto's dynamic security plugin: a role for each device, because 2.0 has no `%u` here, and
 * nothing for anybody else. The plugin asks for `$share/group/filter` as it is written, so only a back end is
 * given shared subscriptions.
 */
export function dynamicSecurity(devices: readonly DeviceId[], backEnds: readonly DeviceId[]): string {
  const role = (id: DeviceId) => (backEnds.includes(id) ? backEnd : `device-${id}`);
  const clients = devices.map((id) => ({ username: id, roles: [{ rolename: role(id) }] }));
  const own = devices
    .filter((id) => !backEnds.includes(id))
    .map((id) => ({ rolename: role(id), acls: rules(`private/${id}/#`) }));
  const shared = allow('subscribePattern', '$share/+/private/#');
  const all = backEnds.length === 0 ? [] : [{ rolename: backEnd, acls: [...rules('private/#'), shared] }];
  return `{
"defaultACLAccess": {"publishClientSend":false,"publishClientReceive":false,"subscribe":false,"unsubscribe":true},
"clients": ${lines(clients)},
"roles": ${lines([...all, ...own])}
}
`;
}

function rules(topic: string): Rule[] {
  return ['publishClientSend', 'publishClientReceive', 'subscribePattern'].map((type) => allow(type, topic));
}

function allow(acltype: string, topic: string): Rule {
  return { acltype, topic, allow: true };
}

/** One device a line, so that two exports can be compared. */
function lines(items: readonly object[]): string {
  return `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
}
