using LocalPlus.Hosting;

namespace LocalPlus.Giftcard;

/// <summary>
/// What stands still in this service: steps that nobody brings further and runs that do not move. And what should never
/// happen: somebody who guesses.
/// </summary>
internal static class GiftcardWatches
{
    public static void AddWatches(this IServiceCollection services)
    {
        services.AddSingleton(new Watch(Telemetry.Attention, Sql.Attention));
        services.AddSingleton(new Watch(Telemetry.RunsOverdue, Sql.RunsOverdue));
        services.AddSingleton(new Rarity(Telemetry.Guessers));
        services.AddSingleton(new Rarity(Telemetry.CodeMisses));
        services.AddSingleton(new Rarity(Telemetry.PinLocks));
    }

    private static class Sql
    {
        public const string Attention = """
            SELECT ((SELECT count(redemption_id) FROM redemptions WHERE needs_attention)
                  + (SELECT count(refund_id) FROM redemption_refunds WHERE needs_attention)
                  + (SELECT count(operation_id) FROM card_operations WHERE needs_attention)
                  + (SELECT count(item_id) FROM offline_items WHERE needs_attention))::bigint
            """;

        // A suspended run waits for an operator, who knows.
        public const string RunsOverdue = """
            SELECT COALESCE(max(EXTRACT(epoch FROM @Now::timestamptz - due_at)), 0)::bigint
              FROM redemption_runs
             WHERE state IN ('pending', 'started', 'waiting')
               AND due_at < @Now
            """;
    }
}
