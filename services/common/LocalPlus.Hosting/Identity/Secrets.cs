using Dapr.Client;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Hosting;

/// <summary>
/// A service's secrets come from the Dapr secret store and nowhere else: entry <c>secretstore/&lt;service&gt;</c>, read
/// at the start and again whenever they change (<see cref="SecretEntry"/>), into configuration keys
/// "Secrets:&lt;name&gt;". The credential of the schema's owner is not among them: the verb "migrate" reads it from
/// entry <c>&lt;service&gt;-migrations</c> (<c>database</c>, <c>app_role</c>), which only the sidecar of a migration
/// hands out. Tests put those keys into configuration themselves.
/// </summary>
public static class Secrets
{
    public const string Store = "secretstore";

    /// <summary>How long a start waits for its sidecar before it gives up and lets the supervisor try again.</summary>
    public static readonly TimeSpan SidecarWait = TimeSpan.FromSeconds(60);

    /// <summary>Reads the service's entry, or for the verb "migrate" that of its schema's owner.</summary>
    public static async Task<SecretEntry> LoadAsync(IConfigurationManager configuration, string service)
    {
        if (configuration["Secrets:database"] is { Length: > 0 })
        {
            return SecretEntry.Given;
        }

        var entry = Environment.GetCommandLineArgs() is [_, Migrations.Verb, ..] ? $"{service}-migrations" : service;
        // For as long as the process lives: it is asked again.
        var client = new DaprClientBuilder().Build();
        using var deadline = new CancellationTokenSource(SidecarWait);
        try
        {
            await client.WaitForSidecarAsync(deadline.Token);
            var secrets = await SecretEntry.ReadAsync(
                async cancel =>
                    SecretEntry.Unfold(entry, await client.GetSecretAsync(Store, entry, cancellationToken: cancel)),
                deadline.Token
            );
            configuration.Add(secrets);
            return secrets;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            throw new InvalidOperationException(
                $"No sidecar with secret store '{Store}' within {SidecarWait.TotalSeconds:0} s: "
                    + $"is Dapr running beside {service}?"
            );
        }
    }

    /// <summary>The value of a secret, or an exception that names what is missing.</summary>
    public static string Secret(this IConfiguration configuration, string name) =>
        configuration[$"Secrets:{name}"]
        ?? throw new InvalidOperationException($"The secret store's entry for this service has no '{name}'.");
}
