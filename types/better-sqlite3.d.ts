/** @file What the published declarations need of better-sqlite3, whose types are a package of their own. */

declare namespace Sqlite {
  /** An open connection. */
  interface Database {
    readonly open: boolean;
  }
}

export default Sqlite;
