using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// Forgets stored answers once they are <see cref="LedgerLimits.AnswerLifetime"/> old, a chunk at a time so that nobody waits
/// behind it. What a reference names is never forgotten.
/// </summary>
internal sealed class AnswerKeeper(Database database, TimeProvider time, ILogger<AnswerKeeper> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LedgerLimits.ForgetInterval, time);
        do
        {
            try
            {
                while (await ForgetAsync(stoppingToken) == LedgerLimits.AnswersPerForgetting)
                {
                    // There are more.
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                log.WorkerStumbled("the keeper of answers", LedgerLimits.ForgetInterval.TotalMilliseconds, exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<int> ForgetAsync(CancellationToken cancel)
    {
        var args = new { LedgerLimits.AnswerLifetime, Limit = LedgerLimits.AnswersPerForgetting };
        return await database.QuerySingleOrDefaultAsync<int>(Sql.Forget, args, cancel);
    }

    private static class Sql
    {
        public const string Forget = """
            WITH forgotten AS (
                DELETE FROM answers
                 WHERE answer_id IN (SELECT answer_id FROM answers WHERE created_at < now() - @AnswerLifetime LIMIT @Limit)
                RETURNING answer_id
            )
            SELECT count(answer_id)::int FROM forgotten
            """;
    }
}
