using LocalPlus.Client;

namespace LocalPlus.Tests.Unit.Client;

[Collection(StandardOutput.Name)]
public sealed class CallTests : IDisposable
{
    private readonly SomebodysMachine _machine = new();

    public void Dispose() => _machine.Dispose();

    [Theory]
    [InlineData(400, ExitCodes.Usage)]
    [InlineData(401, ExitCodes.Refused)]
    [InlineData(403, ExitCodes.Refused)]
    [InlineData(404, ExitCodes.NotFound)]
    [InlineData(409, ExitCodes.Refused)]
    [InlineData(422, ExitCodes.Refused)]
    [InlineData(429, ExitCodes.Unavailable)]
    [InlineData(503, ExitCodes.Unavailable)]
    public async Task A_refusal_has_its_exit_code_and_names_code_request_and_page(int status, int exitCode)
    {
        await using var api = await FakeApi.StartAsync((_, _) => (status, FakeApi.Problem("it_is_so")));

        var failure = await FailsAsync(api, "cards", "show", "gc_1");

        Assert.Equal(exitCode, failure.ExitCode);
        Assert.Equal("it_is_so: It is so.", failure.Message);
        Assert.Equal("req_1", failure.RequestId);
        Assert.Equal("docs/reference/problems.md#it_is_so", failure.Page);
    }

    [Fact]
    public async Task Nobody_there_is_unavailable()
    {
        string away;
        await using (var api = await FakeApi.StartAsync((_, _) => (200, "{}")))
        {
            away = api.Url;
        }

        var failure = await Assert.ThrowsAsync<CliFailure>(() =>
            _machine.RunAsync("cards", "show", "gc_1", "--gateway", away, "--key", "k")
        );

        Assert.Equal(ExitCodes.Unavailable, failure.ExitCode);
    }

    [Fact]
    public async Task A_filter_that_the_route_does_not_know_is_refused_with_those_that_it_does()
    {
        await using var api = await FakeApi.StartAsync((_, _) => (200, "{}"));

        var failure = await FailsAsync(api, "cards", "list", "--filter", "colour=red");

        Assert.Equal(ExitCodes.Usage, failure.ExitCode);
        Assert.Equal(
            "there is no filter 'colour'; there are program_id, status, customer_id, batch_id, last4, reference",
            failure.Message
        );
        Assert.Empty(api.Requests);
    }

    [Theory]
    [InlineData("members", "list")]
    [InlineData("cards", "list", "--filter", "status")]
    [InlineData("cards", "load", "gc_1", "--amount", "12")]
    [InlineData("cards", "load", "gc_1")]
    [InlineData("merchants", "suspend", "mer_1")]
    [InlineData("dlq", "discard", "7", "--reason", "r")]
    [InlineData("cards", "list", "--limit", "0")]
    [InlineData("cards", "list", "-o", "xml")]
    public async Task What_is_not_said_as_it_has_to_be_sends_nothing(params string[] words)
    {
        await using var api = await FakeApi.StartAsync((_, _) => (200, "{}"));

        var failure = await FailsAsync(api, words);

        Assert.Equal(ExitCodes.Usage, failure.ExitCode);
        Assert.Empty(api.Requests);
    }

    [Fact]
    public async Task Filters_and_fields_reach_the_route()
    {
        await using var api = await FakeApi.StartAsync((_, _) => (200, """{"data":[],"has_more":false}"""));

        await CallAsync(api, "cards", "list", "--filter", "status=blocked", "--filter", "reference=a b", "-n", "3");
        await CallAsync(api, "events", "list", "--type", "gift_card.*", "--json");
        await CallAsync(api, "cards", "load", "gc_1", "--amount", "12.50EUR", "--reference", "r");

        Assert.Equal(
            [
                "GET /v1/gift_cards?status=blocked&reference=a%20b&limit=3",
                "GET /v1/events?type=gift_card.%2A&limit=50",
                "POST /v1/gift_cards/gc_1/load",
            ],
            api.Requests.Select(r => r.Line)
        );
        Assert.Equal("""{"amount":{"amount":1250,"currency":"EUR"},"reference":"r"}""", api.Requests[2].Body);
        Assert.True(Guid.TryParse(api.Requests[2].Key, out _));
    }

    [Fact]
    public async Task A_dry_run_shows_the_request_and_sends_nothing()
    {
        await using var api = await FakeApi.StartAsync((_, _) => (200, "{}"));

        var printed = await CallAsync(api, "cards", "block", "gc_1", "--reason", "lost", "--dry-run");

        Assert.Empty(api.Requests);
        Assert.StartsWith($"POST {api.Url}/v1/gift_cards/gc_1/block\n", printed, StringComparison.Ordinal);
        Assert.Contains("""{"reason":"lost"}""", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_asks_the_API_where_it_can_say_what_it_would_do()
    {
        await using var api = await FakeApi.StartAsync((_, _) => (200, """{"matched":2,"replayed":0}"""));
        Environment.SetEnvironmentVariable("LOCALPLUS_TOKEN", "t");

        var printed = await CallAsync(
            api,
            [.. "dlq replay-all --service wallet --topic x --reason r --dry-run -o csv".Split(' ')]
        );

        Assert.Equal("matched,replayed\n2,0\n", printed);
        Assert.Equal("""{"reason":"r","topic":"x","dry_run":true}""", api.Requests.Single().Body);
        Assert.Equal("t", api.Requests.Single().Bearer);
    }

    [Fact]
    public async Task An_answer_that_got_lost_is_asked_for_again_under_the_same_key()
    {
        await using var api = await FakeApi.StartAsync((_, n) => n < 3 ? (0, "") : (200, """{"id":"gc_1"}"""));

        var printed = await CallAsync(api, "cards", "unblock", "gc_1", "-o", "json");

        Assert.Equal("""{"id":"gc_1"}""" + "\n", printed);
        Assert.Equal(3, api.Requests.Count);
        Assert.Single(api.Requests.Select(r => r.Key).Distinct());
    }

    [Fact]
    public async Task An_outcome_that_stays_unknown_is_said_with_the_key_that_makes_a_repeat_safe()
    {
        await using var api = await FakeApi.StartAsync((_, _) => (0, ""));

        var failure = await FailsAsync(api, "cards", "unblock", "gc_1", "--idempotency-key", "again-7");

        Assert.Equal(ExitCodes.Unavailable, failure.ExitCode);
        Assert.Contains("--idempotency-key again-7", failure.Message, StringComparison.Ordinal);
        Assert.All(api.Requests, request => Assert.Equal("again-7", request.Key));
    }

    [Fact]
    public async Task A_write_without_a_key_is_sent_once()
    {
        await using var api = await FakeApi.StartAsync((_, _) => (0, ""));
        Environment.SetEnvironmentVariable("LOCALPLUS_TOKEN", "t");

        var failure = await FailsAsync(api, "runs", "retry", "rdm_1", "--reason", "r");

        Assert.Single(api.Requests);
        Assert.Contains("Whether it was done is unknown", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sign_in_that_is_too_old_is_refused_with_the_command_that_renews_it()
    {
        await using var api = await FakeApi.StartAsync((_, _) => (401, FakeApi.Problem("step_up_required")));
        Environment.SetEnvironmentVariable("LOCALPLUS_TOKEN", "t");

        var failure = await FailsAsync(api, "runs", "terminate", "rdm_1", "--reason", "r");

        Assert.Equal(ExitCodes.Refused, failure.ExitCode);
        Assert.Contains("login renews the sign-in", failure.Next, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_are_followed_as_far_as_was_asked_for()
    {
        await using var api = await FakeApi.StartAsync(
            (request, _) =>
                request.Query["cursor"].ToString() switch
                {
                    "" => (200, """{"data":[{"id":"a"},{"id":"b"}],"next_cursor":"c1","has_more":true}"""),
                    _ => (200, """{"data":[{"id":"c"}],"has_more":false}"""),
                }
        );

        var all = await CallAsync(api, "programs", "list", "--all", "-o", "csv");
        var two = await CallAsync(api, "programs", "list", "--limit", "2", "-o", "json");

        Assert.Equal(["a", "b", "c"], all.Split('\n').Skip(1).SkipLast(1).Select(line => line.Split(',')[0]));
        Assert.Equal("""{"data":[{"id":"a"},{"id":"b"}],"next_cursor":"c1","has_more":true}""" + "\n", two);
        Assert.Equal(
            ["/v1/programs?limit=200", "/v1/programs?limit=200&cursor=c1", "/v1/programs?limit=2"],
            Paths(api)
        );
    }

    [Fact]
    public async Task A_list_of_all_services_names_the_one_that_is_away()
    {
        await using var api = await FakeApi.StartAsync(
            (request, _) =>
                request.Path.Value!.Contains("wallet", StringComparison.Ordinal)
                    ? (503, FakeApi.Problem("busy"))
                    : (200, """{"data":[{"id":"1","name":"n"}],"has_more":false}""")
        );
        Environment.SetEnvironmentVariable("LOCALPLUS_TOKEN", "t");

        var (exitCode, printed) = await EndAsync(api, "jobs", "list", "-o", "csv");

        Assert.Equal(ExitCodes.Unavailable, exitCode);
        Assert.Equal(
            ["analytics", "giftcard", "ledger", "notification"],
            printed.Split('\n').Skip(1).SkipLast(1).Select(l => l[..l.IndexOf(',')])
        );
    }

    [Fact]
    public async Task A_watch_looks_again_and_ends_well_when_it_is_interrupted()
    {
        using var interrupt = new CancellationTokenSource();
        await using var api = await FakeApi.StartAsync(
            (_, n) =>
            {
                if (n == 3)
                {
                    interrupt.Cancel();
                }

                return n == 2 ? (503, FakeApi.Problem("busy")) : (200, """{"id":"gc_1"}""");
            }
        );

        string[] words = ["cards", "show", "gc_1", "--watch", "--interval", "1", "-o", "json"];
        var (exitCode, printed) = await _machine.EndAsync(
            interrupt.Token,
            [.. words, "--gateway", api.Url, "--key", "k"]
        );

        Assert.Equal(ExitCodes.Ok, exitCode);
        Assert.StartsWith("""{"id":"gc_1"}""" + "\n", printed, StringComparison.Ordinal);
        Assert.Equal(3, api.Requests.Count);
    }

    [Fact]
    public async Task Operators_verbs_are_asked_in_a_person_s_name_and_merchants_with_the_key()
    {
        await using var api = await FakeApi.StartAsync((_, _) => (200, """{"data":[],"has_more":false}"""));
        Environment.SetEnvironmentVariable("LOCALPLUS_TOKEN", "person");

        await CallAsync(api, "runs", "list");
        await CallAsync(api, "cards", "list");
        await CallAsync(api, "cards", "list", "--person");

        Assert.Equal(["person", "k", "person"], api.Requests.Select(r => r.Bearer));
    }

    [Fact]
    public async Task Nobody_signed_in_is_refused_with_the_command_that_signs_in()
    {
        await using var api = await FakeApi.StartAsync((_, _) => (200, "{}"));

        var failure = await FailsAsync(api, "runs", "list");

        Assert.Equal((ExitCodes.Refused, "./localplus login"), (failure.ExitCode, failure.Next));
        Assert.Empty(api.Requests);
    }

    private static IEnumerable<string> Paths(FakeApi api) => api.Requests.Select(r => r.Line.Split(' ')[1]);

    private Task<string> CallAsync(FakeApi api, params string[] words) =>
        _machine.RunAsync([.. words, "--gateway", api.Url, "--key", "k"]);

    private Task<(int ExitCode, string Printed)> EndAsync(FakeApi api, params string[] words) =>
        _machine.EndAsync([.. words, "--gateway", api.Url, "--key", "k"]);

    private Task<CliFailure> FailsAsync(FakeApi api, params string[] words) =>
        Assert.ThrowsAsync<CliFailure>(() => CallAsync(api, words));
}
