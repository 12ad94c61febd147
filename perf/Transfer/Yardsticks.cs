namespace LocalPlus.Perf.Transfer;

/// <summary>
/// What a transfer could cost without a service: pgbench calling one PL/pgSQL function per transfer that writes the
/// same rows into the same tables (idempotency, locks, transaction, entries, balances, outbox); and pgledger, when its
/// SQL is given.
/// </summary>
internal static class Yardsticks
{
    public const int Clients = 16;
    private const string PgledgerDatabase = "bench_pgledger";

    /// <summary>Makes the function and lets it move money between the accounts of the bench.</summary>
    public static Task PrepareAsync(string[] accounts, CancellationToken cancel)
    {
        var values = string.Join(
            ",\n",
            accounts.Select((id, i) => $"({i + 1}, '{LocalPlus.Kernel.Ids.Parse<AccountId>(id).Value}')")
        );
        return Psql.RunAsync(
            LedgerUnderTest.Database,
            $"{Sql.Function}\nINSERT INTO bench.accounts VALUES {values};\nANALYZE;\n",
            cancel
        );
    }

    /// <summary>Transfers per second by one call per transfer.</summary>
    public static Task<double> FunctionAsync(int clients, int accounts, TimeSpan time, CancellationToken cancel) =>
        Pgbench.RunAsync(
            LedgerUnderTest.Database,
            Script(accounts, "SELECT bench.transfer(:a, :b);"),
            clients,
            time,
            cancel
        );

    /// <summary>Transfers per second of pgledger's own function over as many accounts of its own.</summary>
    public static async Task<double> PgledgerAsync(string file, int accounts, TimeSpan time, CancellationToken cancel)
    {
        await Psql.RunAsync(
            "postgres",
            $"DROP DATABASE IF EXISTS {PgledgerDatabase} WITH (FORCE);\nCREATE DATABASE {PgledgerDatabase};\n",
            cancel
        );
        await Psql.RunAsync(PgledgerDatabase, await File.ReadAllTextAsync(file, cancel), cancel);
        await Psql.RunAsync(
            PgledgerDatabase,
            $"""
            CREATE TABLE bench_accounts AS
            SELECT n, (pgledger_create_account('bench.' || n, 'EUR')).id::text AS id
              FROM generate_series(1, {accounts}) AS n;
            ALTER TABLE bench_accounts ADD PRIMARY KEY (n);
            ANALYZE;
            """,
            cancel
        );
        const string transfer = """
            SELECT count(*)
              FROM pgledger_create_transfer((SELECT id FROM bench_accounts WHERE n = :a),
                   (SELECT id FROM bench_accounts WHERE n = :b), 1);
            """;
        return await Pgbench.RunAsync(PgledgerDatabase, Script(accounts, transfer), Clients, time, cancel);
    }

    private static string Script(int accounts, string statement) =>
        $"""
            \set a random(1, {accounts})
            \set b 1 + (:a + random(0, {accounts - 2})) % {accounts}
            {statement}

            """;

    private static class Sql
    {
        // The answer, the leaf and the events have the length and make of ours; what is in them nobody reads.
        public const string Function = """
            CREATE SCHEMA bench;
            CREATE TABLE bench.accounts (n integer PRIMARY KEY, account_id uuid NOT NULL);
            CREATE FUNCTION bench.transfer(a integer, b integer) RETURNS uuid LANGUAGE plpgsql AS $$
            DECLARE
                source      uuid := (SELECT account_id FROM bench.accounts WHERE n = a);
                destination uuid := (SELECT account_id FROM bench.accounts WHERE n = b);
                key         uuid := gen_random_uuid();
                transaction uuid := gen_random_uuid();
                at          timestamptz := clock_timestamp();
                from_row    accounts;
                to_row      accounts;
                account     accounts;
                answer      text;
            BEGIN
                IF EXISTS (SELECT FROM answers WHERE answer_id = key
                              AND created_at BETWEEN at - interval '1 day' AND at + interval '1 hour') THEN
                    RETURN NULL;
                END IF;
                IF EXISTS (SELECT FROM transactions t JOIN accounts x USING (merchant_id)
                    WHERE x.account_id = source AND t.reference = key::text) THEN
                    RAISE EXCEPTION 'reference_reused';
                END IF;
                FOR account IN SELECT * FROM accounts WHERE account_id IN (source, destination)
                               ORDER BY account_id FOR NO KEY UPDATE LOOP
                    IF account.status <> 'open' THEN
                        RAISE EXCEPTION 'account_frozen';
                    END IF;
                    IF account.account_id = source THEN
                        from_row := account;
                    ELSE
                        to_row := account;
                    END IF;
                END LOOP;
                IF from_row.asset <> to_row.asset OR from_row.posted - from_row.held - 1 < from_row.floor THEN
                    RAISE EXCEPTION 'insufficient_balance';
                END IF;
                answer := json_build_object('id', transaction, 'object', 'transaction', 'reference', key, 'kind', 'bench',
                    'postings', json_build_array(json_build_object('source', source, 'destination', destination, 'amount', 1)),
                    'effective_at', at, 'recorded_at', at, 'accounts', json_build_array(
                        json_build_object('id', source, 'posted', from_row.posted - 1, 'held', from_row.held, 'sequence', from_row.sequence + 1),
                        json_build_object('id', destination, 'posted', to_row.posted + 1, 'held', to_row.held, 'sequence', to_row.sequence + 1)));
                INSERT INTO transactions (transaction_id, merchant_id, reference, kind, effective_at, recorded_at,
                       leaf_hash)
                VALUES (transaction, from_row.merchant_id, key::text, 'bench', at, at,
                       sha256(convert_to(answer, 'UTF8')));
                INSERT INTO ledger_entries (transaction_id, line, account_id, sequence, asset, amount, balance_after,
                       effective_at, recorded_at)
                VALUES (transaction, 0, source, from_row.sequence + 1, from_row.asset, -1, from_row.posted - 1, at, at),
                       (transaction, 1, destination, to_row.sequence + 1, to_row.asset, 1, to_row.posted + 1, at, at);
                UPDATE accounts SET posted = posted - 1, sequence = sequence + 1, revision = revision + 1,
                    changed_at = at WHERE account_id = source;
                UPDATE accounts SET posted = posted + 1, sequence = sequence + 1, revision = revision + 1,
                    changed_at = at WHERE account_id = destination;
                INSERT INTO outbox_events (event_id, topic, type, key, sequence, merchant_id, data, occurred_at)
                SELECT gen_random_uuid(), 'ledger.transactions.v1', 'ledger.transaction.posted', account_id::text,
                       sequence, merchant_id,
                       jsonb_build_object('transaction_id', transaction, 'entry_id', transaction, 'account_id', account_id, 'account_name', name,
                           'asset', asset, 'kind', 'bench', 'reference', key, 'amount', 1, 'balance_after', posted,
                           'held', held,
                           'effective_at', at, 'recorded_at', at), at
                  FROM accounts WHERE account_id IN (source, destination);
                INSERT INTO answers (answer_id, merchant_id, fingerprint, status, location, body, created_at)
                VALUES (key, from_row.merchant_id, sha256(convert_to(key::text, 'UTF8')), 201,
                       '/v1/transactions/' || transaction, convert_to(answer, 'UTF8'), at);
                RETURN transaction;
            END $$;
            """;
    }
}
