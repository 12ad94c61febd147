using System.Text.Json.Nodes;
using Dapr.DurableTask.Protobuf;
using Google.Protobuf;
using Grpc.Core;
using LocalPlus.Engine.Testing;

namespace LocalPlus.Engine.Tests.Recordings;

/// <summary>
/// Plays a recording's worker and clients against the engine, in the recorded order, and compares what the engine says.
/// Events may come spread over more or fewer turns than recorded: an answer then holds the actions of all recorded
/// answers whose events have come.
/// </summary>
internal sealed class Replay(Recording recording, EngineHost host, string app)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StatusPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan GroupPatience = TimeSpan.FromMilliseconds(300);
    private static readonly JsonFormatter Format = new(JsonFormatter.Settings.Default);
    private static readonly JsonParser Parse = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    private readonly Likeness _likeness = new($"{app}-r", app);
    private readonly Dictionary<int, Task<object>> _calls = [];
    private readonly Dictionary<int, RawWorker> _streams = [];
    private readonly Dictionary<string, List<string>> _seen = [];
    private readonly Dictionary<string, WorkflowRequest> _open = [];
    private readonly HashSet<string> _activities = [];
    private readonly Lock _gate = new();

    public async Task RunAsync()
    {
        foreach (var message in recording.Messages)
        {
            await PlayAsync(message);
        }

        foreach (var (id, expected) in recording.Instances)
        {
            await CompareInstanceAsync(id, expected!.AsObject());
        }

        foreach (var worker in _streams.Values)
        {
            await worker.DisposeAsync();
        }
    }

    private async Task PlayAsync(Recorded message)
    {
        switch (message.Kind, message.Method)
        {
            case ("stream opened", _):
                _streams[message.Call] = RawWorker.Connect(host.Channel, TakeTurn, TakeActivity);
                break;
            case ("stream closed by worker", _) when _streams.Remove(message.Call, out var worker):
                await worker.DisposeAsync();
                break;
            case ("request", "CompleteOrchestratorTask" or "CompleteWorkflowTask"):
                await AnswerTurnAsync(message);
                break;
            case ("request", "CompleteActivityTask"):
                await AnswerActivityAsync(message);
                break;
            case ("request", "ListInstanceIDs"):
                break;
            case ("request", _):
                _calls[message.Call] = CallAsync(message);
                break;
            case ("response" or "error", _) when _calls.Remove(message.Call, out var call):
                await CompareAnswerAsync(message, call);
                break;
        }
    }

    private WorkflowResponse? TakeTurn(WorkflowRequest turn)
    {
        lock (_gate)
        {
            _open[turn.InstanceId] = turn;
            var seen = _seen.TryGetValue(turn.InstanceId, out var known) ? known : _seen[turn.InstanceId] = [];
            seen.Add(string.Join("\n", Recording.Keys(Json(turn)["newEvents"])));
        }

        return null;
    }

    private ActivityResponse? TakeActivity(ActivityRequest activity)
    {
        lock (_gate)
        {
            _activities.Add($"{activity.WorkflowInstance.InstanceId}/{activity.TaskId}");
        }

        return null;
    }

    private static JsonObject Json(IMessage message) => JsonNode.Parse(Format.Format(message))!.AsObject();

    private string Id(string recorded) => recorded.Replace("<id>", $"{app}-r", StringComparison.Ordinal);

    private async Task AnswerTurnAsync(Recorded message)
    {
        var recordedId = message.Message["instanceId"]!.GetValue<string>();
        var id = Id(recordedId);
        if (recording.Stray.Contains(message))
        {
            await SendAsync(message, Fill<WorkflowResponse>(message.Message));
            return;
        }

        var turns = recording.Turns[recordedId];
        var turn = turns.First(each => each.Answer == message);
        while (!turn.Sent)
        {
            var open = await OpenTurnAsync(id, turn);
            var received = Recording
                .Keys(Json(open)["pastEvents"])
                .Concat(Recording.Keys(Json(open)["newEvents"]))
                .ToHashSet();
            var answer = Fill<WorkflowResponse>(message.Message);
            answer.Actions.Clear();
            var count = -1;
            foreach (
                var covered in turns.Where(each =>
                    each is { Sent: false, Answer: not null }
                    && each.Generation == turn.Generation
                    && each.Events.All(one => received.Contains(Text(one)))
                )
            )
            {
                if (covered.Events.Count == count)
                {
                    // The same turn given again: its answer is another one.
                    break;
                }

                count = covered.Events.Count;
                covered.Sent = true;
                var part = Fill<WorkflowResponse>(covered.Answer!.Message);
                answer.Actions.AddRange(part.Actions);
                answer.CustomStatus = part.CustomStatus;
                answer.Version = part.Version;
                if (part.Actions.Any(action => action.CompleteWorkflow is not null))
                {
                    break;
                }
            }

            await SendAsync(message, answer);
        }
    }

    private string Text(string key) => Id(key).Replace("<app>", app, StringComparison.Ordinal);

    private async Task<WorkflowRequest> OpenTurnAsync(string id, RecordedTurn turn)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (true)
        {
            lock (_gate)
            {
                if (_open.TryGetValue(id, out var open))
                {
                    var received = Recording
                        .Keys(Json(open)["pastEvents"])
                        .Concat(Recording.Keys(Json(open)["newEvents"]))
                        .ToHashSet();
                    if (
                        turn.Events.All(one => received.Contains(Text(one)))
                        || TimeProvider.System.GetElapsedTime(begun) > GroupPatience
                    )
                    {
                        _open.Remove(id);
                        return open;
                    }
                }
            }

            Assert.True(
                TimeProvider.System.GetElapsedTime(begun) < Patience,
                $"no turn of {id} with {string.Join(", ", turn.Events)}"
            );
            await Pulse.NextAsync();
        }
    }

    private async Task AnswerActivityAsync(Recorded message)
    {
        var key = Id(Recording.AnswerKey(message.Message));
        var begun = TimeProvider.System.GetTimestamp();
        while (!recording.Stray.Contains(message))
        {
            lock (_gate)
            {
                if (_activities.Remove(key))
                {
                    break;
                }
            }

            Assert.True(TimeProvider.System.GetElapsedTime(begun) < Patience, $"activity {key} never came");
            await Pulse.NextAsync();
        }

        await host.Client.CompleteActivityTaskAsync(Fill<ActivityResponse>(message.Message));
    }

    private async Task SendAsync(Recorded message, WorkflowResponse answer) =>
        await (
            message.Method == "CompleteWorkflowTask"
                ? host.Client.CompleteWorkflowTaskAsync(answer)
                : host.Client.CompleteWorkflowTaskAsync(answer)
        );

    private T Fill<T>(JsonObject message)
        where T : IMessage, new() => Parse.Parse<T>(_likeness.Fill(message.ToJsonString(Relaxed), NewValue));

    private static readonly System.Text.Json.JsonSerializerOptions Relaxed = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    // A time that the worker or the client chose: so far from now as it was then.
    private static string NewValue(string placeholder)
    {
        if (placeholder.StartsWith("<uuid", StringComparison.Ordinal))
        {
            return Guid.NewGuid().ToString();
        }

        var words = placeholder.Split(' ');
        var seconds = words.Length > 3 ? double.Parse(words[3], System.Globalization.CultureInfo.InvariantCulture) : 1;
        return DateTimeOffset
            .UtcNow.AddSeconds(seconds)
            .ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task<object> CallAsync(Recorded message)
    {
        try
        {
            return message.Method switch
            {
                "Hello" => await host.Client.HelloAsync(new()),
                "StartInstance" => await host.Client.StartInstanceAsync(Fill<CreateInstanceRequest>(message.Message)),
                "GetInstance" => await GetAsync(message),
                "WaitForInstanceStart" => await host.Client.WaitForInstanceStartAsync(
                    Fill<GetInstanceRequest>(message.Message)
                ),
                "WaitForInstanceCompletion" => await host.Client.WaitForInstanceCompletionAsync(
                    Fill<GetInstanceRequest>(message.Message)
                ),
                "RaiseEvent" => await host.Client.RaiseEventAsync(Fill<RaiseEventRequest>(message.Message)),
                "SuspendInstance" => await host.Client.SuspendInstanceAsync(Fill<SuspendRequest>(message.Message)),
                "ResumeInstance" => await host.Client.ResumeInstanceAsync(Fill<ResumeRequest>(message.Message)),
                "TerminateInstance" => await host.Client.TerminateInstanceAsync(
                    Fill<TerminateRequest>(message.Message)
                ),
                "PurgeInstances" => await host.Client.PurgeInstancesAsync(Fill<PurgeInstancesRequest>(message.Message)),
                "GetInstanceHistory" => await host.Client.GetInstanceHistoryAsync(
                    Fill<GetInstanceHistoryRequest>(message.Message)
                ),
                _ => throw new InvalidOperationException(message.Method),
            };
        }
        catch (RpcException error)
        {
            return error;
        }
    }

    // Reading may be a little early or late: what was seen must be seen within a while.
    private async Task<GetInstanceResponse> GetAsync(Recorded message)
    {
        var expected = recording.Messages.First(each => each.Call == message.Call && each.Kind == "response").Message;
        var begun = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await host.Client.GetInstanceAsync(Fill<GetInstanceRequest>(message.Message));
            if (Status(expected) == Status(Json(answer)) || TimeProvider.System.GetElapsedTime(begun) > StatusPatience)
            {
                return answer;
            }

            await Pulse.NextAsync();
        }

        static string Status(JsonObject answer) => $"{answer["exists"]} {answer["workflowState"]?["workflowStatus"]}";
    }

    private async Task CompareAnswerAsync(Recorded message, Task<object> call)
    {
        var answer = await call.WaitAsync(Patience);
        if (message.Kind == "error")
        {
            var error = Assert.IsType<RpcException>(answer);
            Assert.Equal(Id(message.Details!), error.Status.Detail);
            Assert.Equal(
                message.Status!.Replace("_", "", StringComparison.Ordinal),
                error.StatusCode.ToString(),
                ignoreCase: true
            );
            return;
        }

        if (answer is RpcException failed)
        {
            Assert.Fail($"{message.Method}: {failed.Status}");
        }

        if (message.Method is not ("GetInstance" or "GetInstanceHistory"))
        {
            Assert.Null(_likeness.Difference(message.Message, Json((IMessage)answer), message.Method));
        }
    }

    private async Task CompareInstanceAsync(string recordedId, JsonObject expected)
    {
        if (recordedId.StartsWith('<') && !recordedId.StartsWith("<id>", StringComparison.Ordinal))
        {
            return;
        }

        var id = Id(recordedId);
        var state = Json(
            await host.Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = id, GetInputsAndOutputs = true })
        );
        Assert.Null(_likeness.Difference(expected["GetInstance"], state, $"GetInstance {id}"));
        if (expected["GetInstanceHistory"] is JsonArray history)
        {
            var found = await host.Client.GetInstanceHistoryAsync(new GetInstanceHistoryRequest { InstanceId = id });
            var (wanted, got) = (WithoutStarts(history), WithoutStarts(Json(found)["events"]!.AsArray()));
            Assert.Null(_likeness.Difference(wanted, got, $"history {id}"));
        }

        var recordedEvents = recording.Turns.TryGetValue(recordedId, out var turns)
            ? turns.SelectMany(turn => turn.Events).Select(Text).Distinct().ToList()
            : [];
        var events = _seen.TryGetValue(id, out var seen)
            ? seen.SelectMany(each => each.Split('\n')).Where(each => each.Length > 0).Distinct().ToList()
            : [];
        // Their order is that of the history, which was compared.
        Assert.Equal(recordedEvents.Order(StringComparer.Ordinal), events.Order(StringComparer.Ordinal));
    }

    // How events are spread over turns is not compared.
    private static JsonArray WithoutStarts(JsonArray history) =>
        [
            .. history
                .Where(one => one!["workflowStarted"] is null)
                .Select(one => one!.DeepClone())
                .Index()
                .OrderBy(one =>
                    one.Item["timerFired"] is { } fired && Twins(history, fired)
                        ? (fired["timerId"]?.GetValue<int>() ?? 0) + 1_000
                        : one.Index
                )
                .Select(one => one.Item),
        ];

    // Timers of one moment fire in any order.
    private static bool Twins(JsonArray history, JsonNode fired) =>
        history.Count(one => one!["timerFired"]?["fireAt"]?.ToString() == fired["fireAt"]!.ToString()) > 1;
}
