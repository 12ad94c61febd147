using System.Net;
using System.Text.Json.Nodes;

namespace LocalPlus.Gateway.Tests;

public sealed class GatewayTests(GatewayFixture gateway) : IClassFixture<GatewayFixture>
{
    [Theory]
    [InlineData("/v1/cards")]
    [InlineData("/v1/cards/gc_1?limit=2&cursor=a%2Fb")]
    [InlineData("/v1/cards/special/x%20y")]
    [InlineData("/v1/exact")]
    public async Task A_routed_path_reaches_its_service_exactly_as_it_was_written(string path)
    {
        var seen = await gateway.Client.GetStringAsync(path);

        Assert.StartsWith($"GET {path} HTTP/1.1\n", seen, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v1/cardsharp")]
    [InlineData("/v1/exact/more")]
    [InlineData("/internal/api_keys/verify")]
    [InlineData("/events/ledger.transactions.v1")]
    public async Task A_path_that_is_routed_nowhere_is_a_problem_document(string path)
    {
        using var answer = await gateway.Client.GetAsync(path);

        await AssertProblemAsync(answer, HttpStatusCode.NotFound, "not_found", retryable: false);
    }

    [Theory]
    [InlineData("/v1/cards/a%00b", 400)]
    [InlineData("/v1/cards/%", 400)]
    [InlineData("/-/bad_request", 404)]
    public async Task Fault_22_An_address_that_can_not_be_read_is_a_problem_document(string path, int status)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            new Uri(
                gateway.Client.BaseAddress!.GetLeftPart(UriPartial.Authority) + path,
                new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
            )
        );
        using var answer = await gateway.Client.SendAsync(request);

        await AssertProblemAsync(
            answer,
            (HttpStatusCode)status,
            status == 404 ? "not_found" : "invalid_request",
            retryable: false
        );
    }

    [Fact]
    public async Task A_service_that_is_away_is_busy_and_says_when_to_come_again()
    {
        using var answer = await gateway.Client.PostAsync("/v1/away", new StringContent("{}"));

        await AssertProblemAsync(answer, HttpStatusCode.ServiceUnavailable, "busy", retryable: true);
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
    }

    [Fact]
    public async Task A_service_that_does_not_answer_in_time_is_busy()
    {
        using var answer = await gateway.Client.GetAsync("/v1/slow");

        await AssertProblemAsync(answer, HttpStatusCode.ServiceUnavailable, "busy", retryable: true);
    }

    [Fact]
    public async Task A_services_own_failure_passes_through()
    {
        using var answer = await gateway.Client.GetAsync("/v1/cards?fail");

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal("the service's own words", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused_before_the_service_sees_it()
    {
        using var body = new ByteArrayContent(new byte[(1024 * 1024) + 1]);
        using var answer = await gateway.Client.PostAsync("/v1/cards", body);

        await AssertProblemAsync(answer, HttpStatusCode.RequestEntityTooLarge, "body_too_large", retryable: false);
    }

    [Fact]
    public async Task The_callers_trace_and_request_id_are_passed_on()
    {
        const string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/cards");
        request.Headers.Add("traceparent", trace);
        request.Headers.Add("X-Request-Id", "till-7");
        using var answer = await gateway.Client.SendAsync(request);
        var seen = await answer.Content.ReadAsStringAsync();

        Assert.Contains($"traceparent: {trace}\n", seen, StringComparison.Ordinal);
        Assert.Contains("x-request-id: till-7\n", seen, StringComparison.Ordinal);
        Assert.Equal("till-7", Assert.Single(answer.Headers.GetValues("X-Request-Id")));
    }

    [Fact]
    public async Task A_request_without_a_trace_begins_one()
    {
        var seen = await gateway.Client.GetStringAsync("/v1/cards");

        Assert.Matches("traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\n", seen);
    }

    [Fact]
    public async Task A_request_id_that_could_break_a_log_line_is_replaced()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/nowhere");
        request.Headers.TryAddWithoutValidation("X-Request-Id", "a\"b");
        using var answer = await gateway.Client.SendAsync(request);

        await AssertProblemAsync(answer, HttpStatusCode.NotFound, "not_found", retryable: false);
    }

    [Fact]
    public async Task Headers_that_only_a_sidecar_may_send_are_removed()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/cards");
        request.Headers.Add("dapr-api-token", "guess");
        request.Headers.Add("dapr-app-id", "ledger");
        using var answer = await gateway.Client.SendAsync(request);

        Assert.DoesNotContain("dapr-", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task AssertProblemAsync(
        HttpResponseMessage answer,
        HttpStatusCode status,
        string code,
        bool retryable
    )
    {
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal((int)status, (int)problem["status"]!);
        Assert.Equal(code, (string?)problem["code"]);
        Assert.Equal(retryable, (bool)problem["retryable"]!);
        Assert.Equal(Assert.Single(answer.Headers.GetValues("X-Request-Id")), (string?)problem["request_id"]);
    }
}
