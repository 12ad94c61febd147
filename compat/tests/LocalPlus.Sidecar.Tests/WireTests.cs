using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using LocalPlus.Sidecar.Api;
using LocalPlus.Sidecar.PubSub;
using LocalPlus.Sidecar.Tracing;

namespace LocalPlus.Sidecar.Tests;

/// <summary>Small print of what daprd stores, wraps and refuses.</summary>
public sealed class WireTests
{
    private const string Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Theory]
    [InlineData("1.50", "1.5")]
    [InlineData("12345678901234567890.5", "12345678901234567000")]
    [InlineData("0.00000015", "1.5e-7")]
    [InlineData("1e21", "1e+21")]
    [InlineData("9007199254740993", "9007199254740993")]
    public void Fractions_are_written_in_Gos_shortest_form_and_whole_numbers_keep_their_digits(
        string number,
        string written
    ) => Assert.Equal(written, Encoding.UTF8.GetString(GoJson.TryReencode(Encoding.UTF8.GetBytes(number), default)!));

    [Fact]
    public void Half_a_surrogate_pair_becomes_the_replacement_character() =>
        Assert.Equal("\"a\uFFFD\"", Encoding.UTF8.GetString(GoJson.TryReencode("\"a\\ud800\""u8, default)!));

    [Fact]
    public void A_number_beyond_a_double_is_refused() => Assert.Null(GoJson.TryReencode("1e400"u8, default));

    [Theory]
    [InlineData("null", HttpStatusCode.NoContent)]
    [InlineData("[{\"key\":\"a\",\"value\":1}] and more", HttpStatusCode.NoContent)]
    [InlineData("[null]", HttpStatusCode.BadRequest)]
    [InlineData("[{\"key\":\"a\",\"options\":{\"concurrency\":\"sometimes\"}}]", HttpStatusCode.InternalServerError)]
    public async Task A_save_is_as_lenient_as_Gos_decoder(string body, HttpStatusCode status)
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Memory);

        Assert.Equal(status, (await sidecar.Http.PostAsync("/v1.0/state/store", new StringContent(body))).StatusCode);
    }

    [Fact]
    public async Task Metadata_in_the_URL_of_a_transaction_counts_for_its_operations()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Memory);

        await sidecar.Http.PostAsJsonAsync(
            "/v1.0/state/store/transaction?metadata.ttlInSeconds=100",
            new { operations = new[] { new { operation = "upsert", request = new { key = "k", value = 1 } } } }
        );

        using var answer = await sidecar.Http.GetAsync("/v1.0/state/store/k");
        Assert.True(answer.Headers.Contains("metadata.ttlExpireTime"));
    }

    [Fact]
    public void An_own_CloudEvent_without_trace_id_gets_the_requests_trace_and_no_override()
    {
        var context = new EventContext(
            "app",
            "pubsub",
            "orders",
            new Dictionary<string, string> { ["cloudevent.type"] = "other" },
            new TraceContext(Trace, null)
        );

        var wrapped = JsonSerializer.Deserialize<JsonElement>(
            CloudEvents.Envelope("""{"type":"mine","traceparent":"theirs"}"""u8, CloudEvents.ContentType, context)
        );

        Assert.Equal("mine", wrapped.GetProperty("type").GetString());
        Assert.Equal(Trace, wrapped.GetProperty("traceid").GetString());
        Assert.Equal(Trace, wrapped.GetProperty("traceparent").GetString());
        Assert.False(wrapped.TryGetProperty("id", out _));
    }

    [Fact]
    public void Overrides_are_found_in_any_spelling_and_one_trace_id_is_both()
    {
        var metadata = new Dictionary<string, string> { ["CloudEvent.ID"] = "mine", ["cloudevent.traceid"] = "t" };

        var wrapped = JsonSerializer.Deserialize<JsonElement>(
            CloudEvents.Envelope(
                "1"u8,
                "application/json",
                new EventContext("app", "pubsub", "orders", metadata, TraceContext.None)
            )
        );

        Assert.Equal("mine", wrapped.GetProperty("id").GetString());
        Assert.Equal("t", wrapped.GetProperty("traceid").GetString());
        Assert.Equal("t", wrapped.GetProperty("traceparent").GetString());
    }

    [Theory]
    [InlineData("image/png")]
    [InlineData("")]
    public async Task A_bulk_entry_of_an_unknown_content_type_is_refused(string contentType)
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Events);

        var answer = await sidecar.Http.PostAsJsonAsync(
            "/v1.0/publish/bulk/pubsub/orders",
            new[]
            {
                new
                {
                    entryId = "1",
                    @event = "x",
                    contentType,
                },
            }
        );

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task A_refused_rawPayload_shows_the_requests_metadata()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(Yaml.Events);

        var answer = await sidecar.Http.PostAsync(
            "/v1.0/publish/pubsub/orders?metadata.rawPayload=perhaps",
            new StringContent("x")
        );

        var details = (await answer.Content.ReadFromJsonAsync<JsonElement>())
            .GetProperty("details")
            .EnumerateArray()
            .Last();
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("perhaps", details.GetProperty("metadata").GetProperty("rawPayload").GetString());
    }

    [Theory]
    [InlineData("event.n == 2", true)]
    [InlineData("event.n > 2 || event.data.kind == 'a b'", true)]
    [InlineData("event.n >= 2 && event.data.kind != \"a b\"", false)]
    [InlineData("event.done == false && event.n < 3", true)]
    public void Rules_compare_members_with_literals(string rule, bool truth) =>
        Assert.Equal(
            truth,
            Rule.Parse(rule)
                .IsTrue(Rule.Members(Encoding.UTF8.GetBytes("""{"n":2,"done":false,"data":{"kind":"a b"}}""")))
        );

    [Theory]
    [InlineData("event.tags.exists(t, t == 'b')")]
    [InlineData("(event.n == 2)")]
    [InlineData("event.n == 2 &&")]
    public void What_is_more_than_a_comparison_is_refused(string rule) =>
        Assert.Throws<RuleException>(() => Rule.Parse(rule));

    [Theory]
    [InlineData("100%", "/100%")]
    [InlineData("a/../b/", "/b")]
    [InlineData("a%2Fb", "/a%2Fb")]
    public void A_method_over_gRPC_is_cleaned_and_never_decoded(string method, string path) =>
        Assert.Equal(path, Invoke.MethodPath.FromPlain(method));
}
