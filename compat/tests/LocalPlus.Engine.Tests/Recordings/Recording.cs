using System.Text.Json.Nodes;

namespace LocalPlus.Engine.Tests.Recordings;

/// <summary>One message of a recording.</summary>
internal sealed record Recorded(
    int Call,
    string From,
    string Kind,
    string Method,
    JsonObject Message,
    string? Status,
    string? Details
)
{
    public bool IsTurn => Message["workflowRequest"] is not null;

    public bool IsActivity => Message["activityRequest"] is not null;
}

/// <summary>A turn as it was recorded, with its answer.</summary>
internal sealed class RecordedTurn(int generation, IReadOnlyList<string> events)
{
    public int Generation { get; } = generation;

    /// <summary>All events of the generation up to here.</summary>
    public IReadOnlyList<string> Events { get; } = events;

    public Recorded? Answer { get; set; }

    public bool Sent { get; set; }
}

/// <summary>A scenario of the recordings of the real engine.</summary>
internal sealed class Recording
{
    public required IReadOnlyList<Recorded> Messages { get; init; }

    public required JsonObject Instances { get; init; }

    public Dictionary<string, List<RecordedTurn>> Turns { get; } = [];

    /// <summary>Answers that nobody was waiting for when they were recorded.</summary>
    public HashSet<Recorded> Stray { get; } = [];

    public static Recording Load(string file)
    {
        var root = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        var recording = new Recording
        {
            Messages = [.. root["messages"]!.AsArray().Select(message => Read(message!.AsObject()))],
            Instances = root["instances"]?.AsObject() ?? [],
        };
        recording.FindTurns();
        return recording;
    }

    private static Recorded Read(JsonObject message) =>
        new(
            message["call"]!.GetValue<int>(),
            message["direction"]!.GetValue<string>().Split(' ')[0],
            message["kind"]!.GetValue<string>(),
            message["method"]!.GetValue<string>(),
            message["message"]?.AsObject() ?? [],
            message["status"]?.GetValue<string>(),
            message["details"]?.GetValue<string>()
        );

    private void FindTurns()
    {
        var open = new HashSet<string>();
        foreach (var message in Messages)
        {
            if (message.IsTurn)
            {
                AddTurn(message.Message["workflowRequest"]!.AsObject(), open);
            }
            else if (message.IsActivity)
            {
                open.Add(ActivityKey(message.Message["activityRequest"]!.AsObject()));
            }
            else if (message is { Kind: "request", Method: "CompleteOrchestratorTask" or "CompleteWorkflowTask" })
            {
                var id = message.Message["instanceId"]!.GetValue<string>();
                if (open.Remove(id))
                {
                    Turns[id][^1].Answer = message;
                }
                else
                {
                    Stray.Add(message);
                }
            }
            else if (
                message is { Kind: "request", Method: "CompleteActivityTask" }
                && !open.Remove(AnswerKey(message.Message))
            )
            {
                Stray.Add(message);
            }
        }
    }

    private void AddTurn(JsonObject turn, HashSet<string> open)
    {
        var id = turn["instanceId"]!.GetValue<string>();
        var turns = Turns.TryGetValue(id, out var known) ? known : Turns[id] = [];
        var events = Keys(turn["pastEvents"]).Concat(Keys(turn["newEvents"])).ToList();
        var generation =
            turns.Count == 0 ? 0
            : turn["pastEvents"] is null && !turns[^1].Events.SequenceEqual(events) ? turns[^1].Generation + 1
            : turns[^1].Generation;
        turns.Add(new RecordedTurn(generation, events));
        open.Add(id);
    }

    public static string ActivityKey(JsonObject activity) =>
        $"{activity["workflowInstance"]!["instanceId"]}/{activity["taskId"]?.GetValue<int>() ?? 0}";

    public static string AnswerKey(JsonObject answer) =>
        $"{answer["instanceId"]}/{answer["taskId"]?.GetValue<int>() ?? 0}";

    /// <summary>What began turns, in short: order and content, no times.</summary>
    public static IEnumerable<string> Keys(JsonNode? events) =>
        (events?.AsArray() ?? []).Select(one => Key(one!.AsObject())).OfType<string>();

    private static string? Key(JsonObject one)
    {
        foreach (var (kind, value) in one)
        {
            switch (kind)
            {
                case "taskCompleted"
                or "taskFailed"
                or "childWorkflowInstanceCompleted"
                or "childWorkflowInstanceFailed":
                    return $"{kind} {value!["taskScheduledId"]?.GetValue<int>() ?? 0}";
                case "timerFired":
                    return $"{kind} {value!["timerId"]?.GetValue<int>() ?? 0}";
                case "eventRaised":
                    return $"{kind} {value!["name"]} {value["input"]}";
                case "executionStarted" or "executionSuspended" or "executionResumed" or "executionTerminated":
                    return $"{kind} {value!["input"]}";
            }
        }

        return null;
    }
}
