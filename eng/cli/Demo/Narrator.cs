using System.Text.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>Tells the story and stops it at the first thing that is not as it should be.</summary>
internal sealed class Narrator
{
    private static readonly JsonSerializerOptions OneLine = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>How many things have been checked.</summary>
    public int Checks { get; private set; }

    public static void Chapter(string title)
    {
        Terminal.Say("");
        Terminal.Title(title);
    }

    public static void Tell(string text) => Terminal.Say($"  {text}");

    /// <summary>Shows a call and the part of its answer that matters.</summary>
    public static void Show(string call, RestAnswer answer, params string[] fields)
    {
        var part = new JsonObject();
        foreach (var field in fields)
        {
            part[field] = answer.At(field)?.DeepClone();
        }

        Tell($"{call}");
        Tell($"  {answer.Status} {part.ToJsonString(OneLine)}");
    }

    /// <summary>Ends the story when it does not hold.</summary>
    public void Check(bool holds, string what, RestAnswer? answer = null)
    {
        if (!holds)
        {
            Terminal.Bad($" {what}");
            throw new CliFailure(
                ExitCodes.Failed,
                $"not so: {what}\n{answer?.Status} {answer?.Body?.ToJsonString(OneLine)}",
                "./localplus status; ./localplus logs giftcard; then ./localplus demo again"
            );
        }

        Checks++;
        Terminal.Good($" {what}");
    }

    /// <summary>Asks again until it holds or the limit is over; then it is checked as it last was.</summary>
    public async Task<RestAnswer> EventuallyAsync(
        Func<Task<RestAnswer>> ask,
        Func<RestAnswer, bool> holds,
        string what,
        TimeSpan limit,
        CancellationToken cancel
    )
    {
        var deadline = DateTimeOffset.UtcNow + limit;
        var answer = await ask();
        while (!holds(answer) && DateTimeOffset.UtcNow < deadline)
        {
            await Task.Delay(Poll, cancel);
            answer = await ask();
        }

        Check(holds(answer), what, answer);
        return answer;
    }
}
