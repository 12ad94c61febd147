using Dapr.DurableTask.Protobuf;
using Grpc.Core;
using LocalPlus.Engine.Testing;
using LocalPlus.Sidecar.Workflow;
using Npgsql;

namespace LocalPlus.Engine.Tests;

public sealed class PurgeTests(PostgresFixture postgres) : EngineTest(postgres)
{
    private async Task<long> RowsAsync()
    {
        await using var connection = new NpgsqlConnection(Server.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT (SELECT count(*) FROM wf_instances WHERE app_id = $1) + (SELECT count(*) FROM wf_inbox WHERE app_id = $1)
                 + (SELECT count(*) FROM wf_history h WHERE NOT EXISTS (SELECT FROM wf_instances i WHERE i.execution_id = h.execution_id))
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = App });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private Task<PurgeInstancesResponse> PurgeAsync(string id, bool recursive = false, bool force = false) =>
        Client
            .PurgeInstancesAsync(
                new PurgeInstancesRequest
                {
                    InstanceId = id,
                    Recursive = recursive,
                    Force = force,
                }
            )
            .ResponseAsync;

    [Fact]
    public async Task A_recursive_purge_leaves_nothing_and_counts_the_children()
    {
        await using var worker = RawWorker.Connect(
            Host.Channel,
            turn => new WorkflowResponse
            {
                InstanceId = turn.InstanceId,
                Actions =
                {
                    turn.InstanceId != "a" ? [Do.Complete(0)]
                    : turn.PastEvents.Count == 0 ? [Do.Child(0, "kid"), Do.Child(1, "kid")]
                    : turn.All().Count(one => one.ChildWorkflowInstanceCompleted is not null) == 2 ? [Do.Complete(2)]
                    : (WorkflowAction[])[],
                },
            },
            null
        );
        await Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = "a", Name = "wf" });
        await EndAsync("a");
        Assert.Equal(3, (await PurgeAsync("a", recursive: true)).DeletedInstanceCount);
        Assert.Equal(0, await RowsAsync());
        Assert.False((await Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = "a:0000" })).Exists);
    }

    [Fact]
    public async Task A_running_run_is_purged_by_force_only()
    {
        await using var worker = Worker();
        await StartAsync(worker, "a", Do.Task(0, "act"));
        var activity = await worker.ActivityAsync();
        var error = await Assert.ThrowsAsync<RpcException>(() => PurgeAsync("a"));
        Assert.Equal("failed to purge workflow state: orchestration has not yet completed", error.Status.Detail);
        await PurgeAsync("a", force: true);
        await worker.ResultAsync(activity, "1");
        Assert.Equal(0, await RowsAsync());
        Assert.False((await Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = "a" })).Exists);
        await StartAsync(worker, "a", Do.Complete(0));
    }

    [Fact]
    public async Task A_purge_by_force_works_without_a_worker_and_a_plain_one_does_not()
    {
        var worker = Worker();
        await StartAsync(worker, "a", Do.Complete(0));
        await worker.DisposeAsync();
        await RestartAsync();
        Assert.Equal(
            StatusCode.FailedPrecondition,
            (await Assert.ThrowsAsync<RpcException>(() => PurgeAsync("a"))).StatusCode
        );
        Assert.Equal(1, (await PurgeAsync("a", force: true)).DeletedInstanceCount);
        Assert.Equal(0, await RowsAsync());
    }

    [Fact]
    public async Task An_unknown_run_cannot_be_purged()
    {
        await using var worker = Worker();
        var error = await Assert.ThrowsAsync<RpcException>(() => PurgeAsync("nobody"));
        Assert.Equal("failed to purge workflow state: no such instance exists", error.Status.Detail);
        error = await Assert.ThrowsAsync<RpcException>(() => PurgeAsync("nobody", recursive: true));
        Assert.Equal(
            "failed to purge workflow state: failed to fetch workflow state: no such instance exists",
            error.Status.Detail
        );
    }

    [Fact]
    public async Task Finished_runs_go_when_their_time_in_store_is_over()
    {
        await RestartAsync(
            Settings with
            {
                Retention = new RetentionPolicy(TimeSpan.FromMilliseconds(300), null, TimeSpan.Zero),
            }
        );
        await using var worker = Worker();
        await StartAsync(worker, "failed", Do.Fail(0, "no"));
        await StartAsync(worker, "completed", Do.Complete(0));
        Assert.Equal(OrchestrationStatus.Completed, (await EndAsync("completed")).WorkflowStatus);
        while ((await Client.GetInstanceAsync(new GetInstanceRequest { InstanceId = "completed" })).Exists)
        {
            await Pulse.NextAsync();
        }

        Assert.Equal(OrchestrationStatus.Failed, (await GetAsync("failed")).WorkflowStatus);
        Assert.Equal(1, await RowsAsync());
    }

    [Fact]
    public async Task Ids_are_listed_page_by_page_each_once()
    {
        await using var worker = RawWorker.Connect(
            Host.Channel,
            turn => new WorkflowResponse { InstanceId = turn.InstanceId, Actions = { Do.Complete(0) } },
            null
        );
        var ids = Enumerable.Range(0, 25).Select(i => $"r_{i}").ToHashSet();
        await Task.WhenAll(
            ids.Select(id =>
                Client.StartInstanceAsync(new CreateInstanceRequest { InstanceId = id, Name = "wf" }).ResponseAsync
            )
        );
        var found = new List<string>();
        var request = new ListInstanceIDsRequest { PageSize = 10 };
        while (true)
        {
            var page = await Client.ListInstanceIDsAsync(request);
            found.AddRange(page.InstanceIds);
            if (!page.HasContinuationToken)
            {
                break;
            }

            Assert.Equal(10, page.InstanceIds.Count);
            request.ContinuationToken = page.ContinuationToken;
        }

        Assert.Equal(25, found.Count);
        Assert.True(ids.SetEquals(found));
        Assert.Equal(25, (await Client.ListInstanceIDsAsync(new ListInstanceIDsRequest())).InstanceIds.Count);
    }
}
