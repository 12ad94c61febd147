using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Google.Protobuf;
using LocalPlus.Compat.TaskHub;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace LocalPlus.Compat.Sdk.Tests.Workflow;

/// <summary>
/// Replays whole recordings of the real engine, when a folder of them is named by LP_RECORDINGS. They were made with an
/// SDK that numbers actions from 1, so every number is lowered by one.
/// </summary>
public sealed partial class RecordingTests
{
    // What an SDK of another language answers on its own: error texts, and how much of a payload a recording shows.
    private static readonly string[] NotComparable = ["payload_1mb", "payload_5mb"];

    private static string? Folder =>
        Environment.GetEnvironmentVariable("LP_RECORDINGS") is { } root ? Path.Combine(root, "workflow", "scenarios") : null;

    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    public static TheoryData<string> Recordings()
    {
        var files = Folder is null ? [] : Directory.GetFiles(Folder, "*.json");
        var data = new TheoryData<string>(files
            .Select(file => Path.GetFileNameWithoutExtension(file)!)
            .Where(name => !name.StartsWith("raw_", StringComparison.Ordinal) && !NotComparable.Contains(name))
            .Order());
        if (data.Count == 0)
        {
            data.Add("(LP_RECORDINGS names no folder)");
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public async Task The_worker_answers_each_recorded_turn_as_the_official_worker_did(string recording)
    {
        if (recording.StartsWith('('))
        {
            return;
        }

        var file = Path.Combine(Folder!, recording + ".json");
        var messages = JsonNode.Parse(await File.ReadAllTextAsync(file))!["messages"]!.AsArray();
        var turns = Run.NewTurn(ScenarioWorkflows.Register);
        await using var services = new ServiceCollection().BuildServiceProvider();
        var open = new Dictionary<string, WorkflowRequest>(StringComparer.Ordinal);
        foreach (var message in messages.Select(m => m!))
        {
            if (message["message"]?["workflowRequest"] is { } item)
            {
                var request = Parse<WorkflowRequest>(item);
                open[request.InstanceId] = request;
            }
            else if ((string?)message["kind"] == "request" && (string?)message["method"] is "CompleteOrchestratorTask" or "CompleteWorkflowTask")
            {
                var recorded = Parse<WorkflowResponse>(message["message"]!);
                if (open.TryGetValue(recorded.InstanceId, out var request) && Knows(request))
                {
                    var answered = await turns.RunAsync(request, request.PastEvents, services);
                    Assert.Equal(Comparable(recorded, request), Comparable(answered, request));
                }
            }
        }
    }

    // The recorder's own experiments run workflows that are not part of any scenario.
    private static bool Knows(WorkflowRequest request) =>
        request.PastEvents.Concat(request.NewEvents).Any(e => e.ExecutionStarted is { Name: not ("big_wf" or "no_such_workflow") });

    private static string Comparable(WorkflowResponse answer, WorkflowRequest request)
    {
        var turnStart = request.NewEvents.First(e => e.WorkflowStarted is not null).Timestamp.ToDateTime();
        var text = Answers.Describe(answer, turnStart);
        text = Failure().Replace(text, "fail");
        return ChildOfParent().Replace(text, "").Replace("status \"", "status ", StringComparison.Ordinal).TrimEnd('"');
    }

    private static T Parse<T>(JsonNode json)
        where T : IMessage<T>, new()
    {
        var copy = json.DeepClone();
        Lower(copy);
        return Parser.Parse<T>(copy.ToJsonString());
    }

    private static void Lower(JsonNode node)
    {
        switch (node)
        {
            case JsonArray list:
                list.ToList().ForEach(element => Lower(element!));
                break;
            case JsonObject fields:
                foreach (var (name, value) in fields.ToList())
                {
                    if (name is "id" or "taskScheduledId" or "timerId" || (name == "eventId" && (int)value! > 0))
                    {
                        fields[name] = (int)value! - 1;
                    }
                    else if (value is JsonValue text && text.TryGetValue<string>(out var time) && Placeholder().Match(time) is { Success: true } match)
                    {
                        fields[name] = Time(match, name == "fireAt");
                    }
                    else if (value is not null)
                    {
                        Lower(value);
                    }
                }

                break;
        }
    }

    // Recorded times are names. One moment for all of them keeps what a time is relative to.
    private static string Time(Match placeholder, bool isFireAt)
    {
        var offset = isFireAt && placeholder.Groups[1].Success
            ? double.Parse(placeholder.Groups[1].Value, CultureInfo.InvariantCulture)
            : 0;
        return Run.Start.AddSeconds(offset).ToString("O", CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"^<ts\d+>(?: \(turn start [+-]([\d.]+) s\))?$")]
    private static partial Regex Placeholder();

    [GeneratedRegex("fail .*")]
    private static partial Regex Failure();

    [GeneratedRegex(@" \S+:\d{4}\b")]
    private static partial Regex ChildOfParent();
}
