/** What a person may do, each more than the one before. */
export const ROLES = ['viewer', 'operator', 'manager', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Who may use a route. Every route declares one; a route without one stops the server from starting.
 * `public` anybody · `local` anybody on this box, or anybody signed in · `self` anybody signed in, even when the
 * password must be changed first · a role: that role and those above it.
 */
export type Access = 'public' | 'local' | 'self' | Role;

export const atLeast = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);
