using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LocalPlus.Hosting;

/// <summary>
/// The name of the running service: its Dapr app id, its database, its secret and its telemetry name.
/// </summary>
public sealed record ServiceIdentity(string Name, Assembly Assembly);

/// <summary>
/// Everything a LocalPlus service shares with the others, in two calls: <see cref="AddLocalPlusAsync"/> before the
/// host is built and <see cref="UseLocalPlus"/> after. Each part has a file of its own in this folder.
/// </summary>
public static class LocalPlusBuilder
{
    /// <summary>
    /// Waits for the sidecar, reads the service's secrets and adds ports, JSON rules, problem documents,
    /// authentication, health, telemetry, OpenAPI, database, idempotency, outbox and Dapr. Throws when the sidecar or
    /// its secret store does not answer within <see cref="Secrets.SidecarWait"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Task AddLocalPlusAsync(this WebApplicationBuilder builder, string name) =>
        AddAsync(builder, new ServiceIdentity(name, Assembly.GetCallingAssembly()));

    /// <summary>The pipeline, in order; and the endpoints every service has: health, OpenAPI, dead letters.</summary>
    /// <param name="pages">Below it people are served, in their browsers, and the rules of the API do not hold.</param>
    public static void UseLocalPlus(this WebApplication app, string? pages = null)
    {
        app.UseForwardedHeaders();
        app.UseMetricsPort();
        if (app.Services.GetRequiredService<IServiceProviderIsService>().IsService(typeof(RequestLog)))
        {
            app.UseMiddleware<RequestLogGate>();
        }

        app.UseExceptionHandler();
        app.UseWhen(
            IsApi,
            api =>
                api.UseStatusCodePages(context => Problems.WriteStatusAsync(context.HttpContext))
                    .UseMiddleware<AdmissionControl>()
                    .UseMiddleware<RequestHygiene>()
        );
        app.UseRouting();
        app.UseWhen(IsApi, api => api.UseMiddleware<BodyMedia>());
        app.UseMiddleware<Ports>();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseMiddleware<RowSecurityGate>();
        app.UseMiddleware<StepUp>();
        app.UseMiddleware<RateLimitGate>();
        app.UseMiddleware<MerchantStanding>();
        app.MapHealth();
        app.MapOpenApi();
        app.MapEvents().MapDeadLetters();
        app.MapTasks();
        app.MapCaches();
        if (app.Services.GetRequiredService<ServiceIdentity>().Name != Authentication.WhoKnowsKeys)
        {
            app.MapDoor(new KeyDoor(), "HearKeys");
        }

        app.MapJobRuns();
        app.MapEventOperations();
        app.MapFailpoints();

        bool IsApi(HttpContext http) => pages is null || !http.Request.Path.StartsWithSegments(pages);
    }

    /// <summary>Endpoints for merchants: public port, an API key, paths below /v1.</summary>
    public static RouteGroupBuilder MapMerchantApi(this WebApplication app) =>
        app.MapGroup("/v1")
            .RequirePort(Port.Public)
            .RequireAuthorization(Authentication.MerchantPolicy)
            .RequireOffsets();

    /// <summary>
    /// Endpoints for operators: public port, an operator's token, paths below /ops/v1; viewers may read.
    /// </summary>
    public static RouteGroupBuilder MapOperatorApi(this WebApplication app) =>
        app.MapGroup("/ops/v1").RequirePort(Port.Public).RequireAuthorization("viewer").RequireOffsets();

    /// <summary>Endpoints below /v1 that only administrators may call.</summary>
    public static RouteGroupBuilder MapAdminApi(this WebApplication app) =>
        app.MapGroup("/v1").RequirePort(Port.Public).RequireAuthorization("admin").RequireOffsets();

    /// <summary>
    /// Endpoints for the other services, through the sidecar: app port and its token, paths below /internal.
    /// </summary>
    public static RouteGroupBuilder MapInternal(this WebApplication app) =>
        app.MapGroup("/internal").RequirePort(Port.App).WithGroupName(OpenApiDescription.Inside);

    /// <summary>Where subscriptions deliver: app port and its token, paths below /events.</summary>
    public static RouteGroupBuilder MapEvents(this WebApplication app) =>
        app.MapGroup("/events").RequirePort(Port.App).WithGroupName(OpenApiDescription.Inside);

    /// <summary>What operators see and do about a service's events, below /ops/v1/{service}.</summary>
    private static void MapEventOperations(this WebApplication app)
    {
        var service = app.Services.GetRequiredService<ServiceIdentity>().Name;
        var ops = app.MapOperatorApi().MapGroup($"/{service}");
        ops.MapGetEventState();
        ops.MapGroup("/dead_letters").MapListDeadLetters().MapDecideDeadLetters().MapSetDeadLettersAside();
    }

    /// <summary>
    /// Runs the verb named by the arguments: none serves, "job NAME" runs a scheduled job once; both refuse a schema
    /// that lacks a migration. "migrate" brings it up to this release, and has the credential to do so. Returns the
    /// process's exit code: 0 done, 1 failed, 2 unknown verb.
    /// </summary>
    public static async Task<int> RunLocalPlusAsync(this WebApplication app, string[] args)
    {
        var migrations = app.Services.GetRequiredService<Migrations>();
        switch (args)
        {
            case [Migrations.Verb, ..]:
                await migrations.RunAsync(CancellationToken.None);
                return 0;
            case ["job", var name, ..]:
                await migrations.CheckAsync(CancellationToken.None);
                return await Jobs.RunAsync(app.Services, name);
            case [var verb, ..] when !verb.StartsWith('-'):
                await Console.Error.WriteLineAsync($"unknown verb '{verb}': use none, migrate or job NAME");
                return 2;
            default:
                Doors.Check(app);
                // Who serves without this key would fail each POST; a job or a migration needs none.
                _ = app.Services.GetRequiredService<FingerprintKeys>();
                await migrations.CheckAsync(CancellationToken.None);
                await app.RunAsync();
                return 0;
        }
    }

    private static async Task AddAsync(WebApplicationBuilder builder, ServiceIdentity service)
    {
        var name = service.Name;
        builder.Services.AddSingleton(service);
        builder.Services.TryAddSingleton<TimeProvider>(new MillisecondClock());
        builder.AddLocalPlusLogging();

        builder.Services.AddSingleton(await Secrets.LoadAsync(builder.Configuration, name));
        Ports.Configure(builder);
        ClientAddress.Configure(builder);
        Failpoints.Configure(builder);
        builder.Services.ConfigureHttpJsonOptions(json => StrictJson.Apply(json.SerializerOptions));
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.AddExceptionHandler<FaultHandler>();
        builder.Services.AddProblemDetails();
        builder.Services.AddLocalPlusDescriptions(name);
        builder.Services.AddDaprClient();
        builder.Services.AddLocalPlusAuthentication(builder.Configuration, builder.Environment);
        builder.AddLocalPlusTelemetry(name);
        builder.Services.AddLocalPlusDatabase(builder.Configuration, service);
        builder.Services.AddSingleton<KnownCallers>();
        builder.Services.AddSingleton<FairAdmission>();
        builder.Services.AddSingleton<ITokenStore, CachedTokens>();
        builder.Services.AddSingleton(all => new RateLimits(
            all.GetRequiredService<ITokenStore>(),
            builder.Configuration,
            all.GetRequiredService<TimeProvider>(),
            all.GetRequiredService<ILogger<SharedTokens>>()
        ));
        builder.Services.AddSingleton<FingerprintKeys>();
        builder.Services.AddSingleton<SealedAnswers>();
        builder.Services.AddSingleton<IdempotentRequests>();
        builder.Services.AddSingleton<ConsumerPause>();
        builder.Services.AddSingleton<Readiness>();
        builder.Services.AddSingleton<Subscriber>();
        builder.Services.AddSingleton<DeadLetterReplay>();
        builder.Services.AddSingleton<EventPublisher>();
        builder.Services.AddSingleton<OutboxSignal>();
        builder.Services.AddSingleton<OutboxHealth>();
        builder.Services.AddTasks();
        builder.Services.AddFlags();
        builder.Services.AddSingleton(Jobs.Forget);
        builder.Services.AddHostedService<SecretWatch>();
        builder.Services.AddHostedService<OutboxRelay>();
        builder.Services.AddHostedService<Housekeeping>();
        builder.Services.AddSingleton(new CursorCodec(builder.Configuration));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
    }
}
