using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// Forgets stored answers once they are <see cref="LedgerLimits.AnswerLifetime"/> old, a chunk at a time. What a
/// reference names is never forgotten.
/// </summary>
internal static class AnswerKeeper
{
    public static Chore Chore { get; } = new("answers", LedgerLimits.AnswerLifetime, Sql.Forget);

    private static class Sql
    {
        // Without a lock, which takes a right to change answers that nobody has: two replicas wait for each other's
        // chunk at most.
        public const string Forget = """
            DELETE FROM answers
             WHERE ctid = ANY (ARRAY(SELECT ctid FROM answers WHERE created_at <= @Before LIMIT @Take))
            """;
    }
}
