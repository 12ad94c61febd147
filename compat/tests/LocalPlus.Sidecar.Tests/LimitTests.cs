using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Sidecar.Tests;

/// <summary>--max-body-size on every way in.</summary>
public sealed class LimitTests
{
    private const int Limit = 1 << 20;

    [Fact]
    public async Task A_state_body_over_the_limit_is_malformed_and_one_below_it_is_stored()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Memory,
            configure: o => o.MaxBodyBytes = Limit
        );

        var large = await sidecar.Http.PostAsJsonAsync(
            "/v1.0/state/store",
            new[] { new { key = "k", value = new string('x', Limit) } }
        );
        var small = await sidecar.Http.PostAsJsonAsync(
            "/v1.0/state/store",
            new[] { new { key = "k", value = new string('x', Limit / 2) } }
        );

        Assert.Equal(HttpStatusCode.BadRequest, large.StatusCode);
        Assert.Equal(
            "stream too large",
            (await large.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("message").GetString()
        );
        Assert.Equal(HttpStatusCode.NoContent, small.StatusCode);
    }

    [Fact]
    public async Task An_invocation_over_the_limit_never_reaches_the_application()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Memory,
            _ => Task.CompletedTask,
            o => o.MaxBodyBytes = Limit
        );

        var answer = await sidecar.Http.PostAsync(
            "/v1.0/invoke/under-test/method/upload",
            new ByteArrayContent(new byte[Limit + 1])
        );

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal(0, sidecar.Count("POST /upload"));
    }

    [Theory]
    [InlineData(Limit, "0")]
    [InlineData(Limit + 1, "8")]
    public async Task A_proxied_message_over_the_limit_is_refused_as_exhausted(int size, string status)
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Memory,
            EchoStatusAsync,
            o => (o.MaxBodyBytes, o.AppProtocol) = (Limit, "h2c")
        );

        using var answer = await CallAsync(sidecar, Frame(size));

        Assert.Equal(status, Status(answer));
    }

    [Fact]
    public async Task An_answer_over_the_limit_is_refused_as_exhausted()
    {
        await using var sidecar = await SidecarUnderTest.StartAsync(
            Yaml.Memory,
            async http =>
            {
                http.Response.ContentType = "application/grpc";
                await http.Response.Body.WriteAsync(Frame(Limit + 1));
            },
            o => (o.MaxBodyBytes, o.AppProtocol) = (Limit, "h2c")
        );

        using var answer = await CallAsync(sidecar, Frame(1));

        Assert.Equal("8", Status(answer));
    }

    private static async Task EchoStatusAsync(HttpContext http)
    {
        await http.Request.Body.CopyToAsync(Stream.Null);
        http.Response.ContentType = "application/grpc";
        await http.Response.Body.WriteAsync(Frame(1));
        http.Response.AppendTrailer("grpc-status", "0");
    }

    private static byte[] Frame(int size)
    {
        var frame = new byte[5 + size];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), size);
        return frame;
    }

    private static async Task<HttpResponseMessage> CallAsync(SidecarUnderTest sidecar, byte[] frame)
    {
        using var client = new HttpClient { BaseAddress = new Uri(sidecar.GrpcAddress) };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/test.Service/Call")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame)
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") },
            },
        };
        request.Headers.Add("dapr-app-id", "under-test");
        request.Headers.Add("TE", "trailers");
        return await client.SendAsync(request);
    }

    private static string Status(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("grpc-status", out var early)
            ? early.Single()
            : answer.TrailingHeaders.GetValues("grpc-status").Single();
}
