using System.CommandLine;
using LocalPlus.Client.Calls;
using LocalPlus.Client.Catalog;

namespace LocalPlus.Client.Verbs;

/// <summary>A redemption's state whenever it changes, until it is over.</summary>
internal static class RedemptionWatch
{
    /// <summary>States that nothing but another refund changes.</summary>
    private static readonly string[] Over = ["completed", "partially_refunded", "refunded", "cancelled", "expired"];

    private static readonly Argument<string> Id = new("id") { Description = "its id, rdm_…" };
    private static readonly ApiVerb Show = ApiTable.Verbs.Single(v => v is { Noun: "redemptions", Name: "show" });

    public static Command Command()
    {
        var command = new Command("watch", "each change of one, until it is over").With([
            Id,
            Common.Interval,
            .. Common.Caller,
        ]);
        command.SetAction(RunAsync);
        return new Command("redemptions").With(command);
    }

    private static async Task<int> RunAsync(ParseResult words, CancellationToken cancel)
    {
        using var session = Session.Open(words);
        var path = Show.Path.Replace(
            "{id}",
            Uri.EscapeDataString(words.GetRequiredValue(Id)),
            StringComparison.Ordinal
        );
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(words.GetValue(Common.Interval)));
        var seen = "";
        try
        {
            do
            {
                var answer = await session.MustAsync(new ApiRequest(HttpMethod.Get, path), Show, cancel);
                var state = answer.Body?["state"]?.ToString() ?? "";
                var line = $"{answer.Body?["updated_at"]}  {state}";
                if (line != seen)
                {
                    Console.WriteLine(seen = line);
                }

                if (Over.Contains(state))
                {
                    return ExitCodes.Ok;
                }
            } while (await ticks.WaitForNextTickAsync(cancel));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return ExitCodes.Ok;
        }

        return ExitCodes.Ok;
    }
}
