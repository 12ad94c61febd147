using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Dapr;
using Dapr.AspNetCore;
using Dapr.Client;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace LocalPlus.Compat.Sdk.Tests.Dapr;

public sealed class AspNetCoreTests : IAsyncLifetime
{
    private WebApplication app = null!;
    private HttpClient http = null!;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["APP_API_TOKEN"] = "secret" });
        builder.Services.AddDaprClient();
        builder.Services.AddAuthentication().AddDapr();
        builder.Services.AddAuthorization(options => options.AddDapr());
        app = builder.Build();
        app.UseCloudEvents(new CloudEventsMiddlewareOptions { ForwardCloudEventPropertiesAsHeaders = true });
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapSubscribeHandler();
        app.MapPost("/events/orders", EchoAsync)
            .WithTopic(new TopicOptions { PubsubName = "pubsub", Name = "orders", DeadLetterTopic = "dead", Metadata = { ["k"] = "v" } });
        app.MapPost("/events/large", EchoAsync)
            .WithTopic(new TopicOptions { PubsubName = "pubsub", Name = "orders", Match = "event.data.n > 1", Priority = 1 });
        app.MapPost("/raw", EchoAsync).WithTopic("pubsub", "a-raw", true).WithBulkSubscribe(new BulkSubscribeTopicOptions { TopicName = "a-raw", MaxMessagesCount = 5 });
        app.MapPost("/guarded", () => "in").RequireAuthorization("Dapr");
        await app.StartAsync();
        http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    public async Task DisposeAsync()
    {
        http.Dispose();
        await app.DisposeAsync();
    }

    [Fact]
    public async Task The_sidecar_is_told_of_every_topic()
    {
        Assert.Equal(
            """[{"topic":"a-raw","pubsubName":"pubsub","route":"raw","metadata":{"rawPayload":"true"},"bulkSubscribe":{"enabled":true,"maxMessagesCount":5,"maxAwaitDurationMs":1000}},"""
            + """{"topic":"orders","pubsubName":"pubsub","routes":{"rules":[{"match":"event.data.n \u003E 1","path":"events/large"}],"default":"events/orders"},"metadata":{"k":"v"},"deadLetterTopic":"dead"}]""",
            await http.GetStringAsync(new Uri("/dapr/subscribe", UriKind.Relative)));
    }

    [Theory]
    [InlineData("""{"data":{"n":1},"datacontenttype":"application/json; charset=utf-16","type":"t"}""", """application/json {"n":1} t""")]
    [InlineData("""{"Data":"text","datacontenttype":"text/plain"}""", "text/plain text ")]
    [InlineData("""{"data":5,"datacontenttype":"text/plain"}""", "text/plain 5 ")]
    [InlineData("""{"data":"quoted"}""", "application/json \"quoted\" ")]
    [InlineData("""{"data_base64":"aGk=","datacontenttype":"application/octet-stream"}""", "application/octet-stream hi ")]
    [InlineData("""{"type":"t"}""", "  t")]
    public async Task A_cloud_event_is_opened(string envelope, string seen)
    {
        using var answer = await PostAsync("/events/orders", envelope, "application/cloudevents+json");

        Assert.Equal(seen, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Other_bodies_are_left_alone_and_contradictory_events_refused()
    {
        using var plain = await PostAsync("/events/orders", """{"data":1}""", "application/json");
        Assert.Equal("""application/json {"data":1} """, await plain.Content.ReadAsStringAsync());
        using var both = await PostAsync("/events/orders", """{"data":1,"data_base64":"aGk="}""", "application/cloudevents+json");
        Assert.Equal(HttpStatusCode.BadRequest, both.StatusCode);
        using var broken = await PostAsync("/events/orders", "{", "application/cloudevents+json");
        Assert.Equal(HttpStatusCode.InternalServerError, broken.StatusCode);
    }

    [Theory]
    [InlineData("secret", HttpStatusCode.OK)]
    [InlineData("wrong", HttpStatusCode.Unauthorized)]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    public async Task Only_the_sidecar_s_token_opens_guarded_endpoints(string? token, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/guarded");
        if (token is not null)
        {
            request.Headers.Add("dapr-api-token", token);
        }

        using var answer = await http.SendAsync(request);
        Assert.Equal(status, answer.StatusCode);
    }

    [Fact]
    public void The_client_is_registered_once()
    {
        var services = new ServiceCollection();
        services.AddDaprClient();
        services.AddDaprClient(builder => builder.UseHttpEndpoint("http://elsewhere"));

        Assert.Single(services, service => service.ServiceType == typeof(DaprClient));
        Assert.Same(app.Services.GetRequiredService<DaprClient>(), app.Services.GetRequiredService<DaprClient>());
    }

    private static async Task EchoAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        await http.Response.WriteAsync(
            $"{http.Request.ContentType} {await reader.ReadToEndAsync()} {http.Request.Headers["Cloudevent.type"]}");
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string body, string type)
    {
        using var content = new StringContent(body, Encoding.UTF8);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return await http.PostAsync(new Uri(path, UriKind.Relative), content);
    }
}
