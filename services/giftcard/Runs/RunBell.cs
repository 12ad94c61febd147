using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// What redemptions tell their runs: rows that the starter hands to the engine, and rings at the doorbell.
/// </summary>
internal sealed class RunBell(RunSignal signal, Doorbell doorbell) : IRunBell
{
    public Task BeginAsync(
        DbSession db,
        IReadOnlyList<(RedemptionRow Redemption, string? Trace)> begun,
        DateTimeOffset at
    )
    {
        var rows = begun.ToArray();
        return rows.Length == 0
            ? Task.CompletedTask
            : db.ExecuteAsync(
                Sql.Begin,
                new
                {
                    Ids = Array.ConvertAll(rows, r => r.Redemption.RedemptionId),
                    Generations = Array.ConvertAll(rows, r => r.Redemption.RunGeneration),
                    Merchants = Array.ConvertAll(rows, r => r.Redemption.MerchantId),
                    Instances = Array.ConvertAll(rows, r => RunId.Of(r.Redemption.Id, r.Redemption.RunGeneration)),
                    Immediate = Array.ConvertAll(rows, r => r.Redemption.IsImmediate),
                    Traces = Array.ConvertAll(rows, r => r.Trace),
                    At = at,
                }
            );
    }

    public void Begun() => signal.Ring();

    public void Ring(RedemptionId id, int generation) => doorbell.Ring(id, generation);

    private static class Sql
    {
        public const string Begin = """
            INSERT INTO redemption_runs (redemption_id, generation, merchant_id, instance_id, state, engine, immediate,
                   step, due_at, created_at, traceparent)
            SELECT redemption_id, generation, merchant_id, instance_id, 'pending', 'dapr', immediate, 'start', @At, @At,
                   traceparent
              FROM unnest(@Ids, @Generations, @Merchants, @Instances, @Immediate, @Traces)
                AS r (redemption_id, generation, merchant_id, instance_id, immediate, traceparent)
            """;
    }
}
