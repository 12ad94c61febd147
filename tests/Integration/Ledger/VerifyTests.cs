using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Ledger.Proof;
using LocalPlus.Ledger.Transactions;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>`ledger verify`: whatever a superuser changes in the database is found and named.</summary>
public sealed class VerifyTests(AuditFixture books) : IClassFixture<AuditFixture>
{
    private const string Fifth = "(SELECT transaction_id FROM log_leaves WHERE leaf_index = 5)";

    [Fact]
    public async Task Untouched_books_verify()
    {
        var (exitCode, output) = await books.VerifyAsync("SELECT 1");

        Assert.True(exitCode == 0, output);
        Assert.Contains(
            $"✓ {AuditFixture.Transactions} transactions are as they were signed",
            output,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(
        $"UPDATE ledger_entries SET amount = sign(amount) * 99999 WHERE transaction_id = {Fifth}",
        "{5} was edited: with its 2 entries"
    )]
    [InlineData(
        $"UPDATE ledger_entries SET balance_after = 1 WHERE line = 1 AND transaction_id = {Fifth}",
        "{5} was edited"
    )]
    [InlineData(
        $"UPDATE ledger_entries SET account_id = gen_random_uuid() WHERE line = 1 AND transaction_id = {Fifth}",
        "{5} was edited"
    )]
    [InlineData(
        $"UPDATE ledger_entries SET recorded_at = recorded_at - interval '1 day' WHERE line = 0 AND transaction_id = {Fifth}",
        "{5} was edited: line 0 says another time"
    )]
    [InlineData($"UPDATE transactions SET reference = 'other' WHERE transaction_id = {Fifth}", "{5} was edited")]
    [InlineData(
        $"UPDATE transactions SET metadata = jsonb_build_object('a', 'b') WHERE transaction_id = {Fifth}",
        "{5} was edited"
    )]
    [InlineData(
        $"UPDATE transactions SET effective_at = effective_at - interval '1 day' WHERE transaction_id = {Fifth}",
        "{5} was edited"
    )]
    [InlineData(
        $"UPDATE transactions SET leaf_hash = sha256('') WHERE transaction_id = {Fifth}",
        "{5} was edited: its leaf_hash"
    )]
    [InlineData("UPDATE log_leaves SET leaf_hash = sha256('') WHERE leaf_index = 5", "{5} was edited")]
    [InlineData(
        $"DELETE FROM ledger_entries WHERE line = 1 AND transaction_id = {Fifth}",
        "{5} was edited: with its 1 entries"
    )]
    [InlineData(
        "UPDATE log_nodes SET hash = sha256('') WHERE node_index = 1",
        "leaves 16 to 31 ({16} to {31}) were edited or reordered"
    )]
    [InlineData(
        "UPDATE log_checkpoints SET root = sha256('') WHERE size = (SELECT max(size) FROM log_checkpoints)",
        "the checkpoint in the database signed another tree"
    )]
    public async Task An_edited_row_is_found(string sql, string finding) =>
        Found(await books.VerifyAsync(sql), finding);

    [Theory]
    [InlineData(
        $"DELETE FROM ledger_entries WHERE transaction_id = {Fifth}; DELETE FROM transactions WHERE transaction_id = {Fifth}",
        "{5} was deleted"
    )]
    [InlineData(
        $"DELETE FROM ledger_entries WHERE transaction_id = {Fifth}; DELETE FROM transactions WHERE transaction_id = {Fifth}; DELETE FROM log_leaves WHERE leaf_index = 5",
        "leaf 5 is missing from the log"
    )]
    [InlineData("DELETE FROM log_nodes", "leaves 0 to 15 ({0} to {15})")]
    [InlineData(
        "DELETE FROM log_checkpoints WHERE size = (SELECT max(size) FROM log_checkpoints)",
        "the last checkpoint in the database is of"
    )]
    public async Task A_deleted_row_is_found(string sql, string finding) =>
        Found(await books.VerifyAsync(sql), finding);

    [Theory]
    [InlineData(5, 6, "leaves 0 to 15 ({0} to {15}) were edited or reordered")]
    [InlineData(3, 20, "leaves 0 to 15 ({0} to {15}) were edited or reordered")]
    [InlineData(36, 37, "the checkpoint kept in the file signed another tree")]
    public async Task Reordered_rows_are_found(int one, int other, string finding) =>
        Found(
            await books.VerifyAsync(
                $"UPDATE log_leaves SET leaf_index = {one + other} - leaf_index + 1000000 WHERE leaf_index IN ({one}, {other}); UPDATE log_leaves SET leaf_index = leaf_index - 1000000 WHERE leaf_index >= 1000000"
            ),
            finding
        );

    [Fact]
    public async Task A_cut_tail_is_found_although_its_checkpoints_were_cut_with_it() =>
        Found(
            await books.VerifyAsync(
                """
                CREATE TEMP TABLE gone AS SELECT transaction_id FROM log_leaves WHERE leaf_index >= 37;
                DELETE FROM ledger_entries WHERE transaction_id IN (SELECT transaction_id FROM gone);
                DELETE FROM transactions WHERE transaction_id IN (SELECT transaction_id FROM gone);
                DELETE FROM log_leaves WHERE leaf_index >= 37;
                DELETE FROM log_checkpoints WHERE size > 37;
                """
            ),
            "the log was cut off: 40 transactions were signed, 37 are there; leaves 37 to 39 are gone"
        );

    [Fact]
    public async Task A_tail_whose_log_was_left_is_found() =>
        Found(
            await books.VerifyAsync(
                """
                DELETE FROM ledger_entries WHERE transaction_id = (SELECT transaction_id FROM log_leaves WHERE leaf_index = 39);
                DELETE FROM transactions WHERE transaction_id = (SELECT transaction_id FROM log_leaves WHERE leaf_index = 39);
                """
            ),
            "{39} was deleted"
        );

    [Theory]
    [InlineData(
        "INSERT INTO transactions (transaction_id, merchant_id, kind, effective_at, recorded_at, leaf_hash, written_by) VALUES (gen_random_uuid(), gen_random_uuid(), 'load', now(), now() - interval '1 hour', sha256(''), '0')",
        "is not in the log: the transaction was added"
    )]
    [InlineData(
        "INSERT INTO ledger_entries (transaction_id, line, account_id, sequence, asset, amount, balance_after, effective_at, recorded_at) VALUES (gen_random_uuid(), 1, gen_random_uuid(), 1, 'EUR', 1, 1, now(), now() - interval '1 hour')",
        "belongs to no transaction"
    )]
    public async Task A_row_that_was_slipped_in_is_found(string sql, string finding) =>
        Found(await books.VerifyAsync(sql), finding);

    [Fact]
    public async Task Even_a_row_whose_every_hash_in_the_database_was_made_to_fit_is_found() =>
        Found(
            await books.ForgeAsync(async connection =>
            {
                await connection.ExecuteAsync(
                    $"UPDATE transactions SET reference = 'forged' WHERE transaction_id = {Fifth}"
                );
                TypeHandlers.Register();
                var row = await connection.QuerySingleAsync<TransactionRow>(
                    $"SELECT {TransactionRow.Columns} FROM transactions WHERE transaction_id = {Fifth}"
                );
                var entries = await connection.QueryAsync<LeafEntry>(
                    $"SELECT account_id, stripe, sequence, asset, amount, balance_after FROM ledger_entries WHERE transaction_id = {Fifth} ORDER BY line"
                );
                var hash = LeafReader.Of(row, [.. entries]).Hash();
                await connection.ExecuteAsync(
                    $"UPDATE transactions SET leaf_hash = @Hash WHERE transaction_id = {Fifth}",
                    new { Hash = hash }
                );
                await connection.ExecuteAsync(
                    "UPDATE log_leaves SET leaf_hash = @Hash WHERE leaf_index = 5",
                    new { Hash = hash }
                );
                await connection.ExecuteAsync("DELETE FROM log_nodes; UPDATE log_checkpoints SET root = sha256('')");
            }),
            "signed another tree"
        );

    [Fact]
    public async Task A_missing_file_and_wrong_words_are_said_with_their_exit_codes()
    {
        Assert.Equal(3, (await books.TamperAsync("SELECT 1", "verify", "--checkpoints", "/nowhere/at-all")).ExitCode);
        Assert.Equal(2, (await books.TamperAsync("SELECT 1", "verify", "--loudly")).ExitCode);
        Assert.Contains(
            "next:",
            (await books.TamperAsync("SELECT 1", "rebuild", "--until", "yesterday")).Output,
            StringComparison.Ordinal
        );
    }

    /// <summary>{5} stands for the name of the transaction at leaf 5.</summary>
    private void Found((int ExitCode, string Output) result, string finding)
    {
        for (var leaf = 0; leaf < books.Logged.Count; leaf++)
        {
            finding = finding.Replace($"{{{leaf}}}", $"{books.Logged[leaf]} (leaf {leaf})", StringComparison.Ordinal);
        }

        Assert.True(result.ExitCode == 1, result.Output);
        Assert.Contains(finding, result.Output, StringComparison.Ordinal);
    }
}
