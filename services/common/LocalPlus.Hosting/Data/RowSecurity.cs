using System.Runtime.CompilerServices;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// The second lock on what is a merchant's (ADR 0058): the session of each connection says for whom it works, and the
/// tables' policies show it the rows of that merchant alone, whatever its statement forgot. A session that was told
/// nothing sees nothing. Requests work for their merchant; what is shared among merchants, operators, other services
/// and work in the background work for all of them.
/// </summary>
public static class RowSecurity
{
    /// <summary>Of the session: what policies read.</summary>
    internal const string Setting = "localplus.merchant";

    /// <summary>What a session says from its start, before it was told anything.</summary>
    internal const string Nobody = "none";

    private const string Everybody = "all";

    private static readonly AsyncLocal<string?> Flow = new();

    /// <summary>
    /// What sessions were told last, so that those are told nothing that work for the same one again. By what the
    /// server said of itself at the session's start, which lives as long as the session and is no other's.
    /// </summary>
    private static readonly ConditionalWeakTable<object, string> Told = [];

    /// <summary>
    /// From here to its end, and in what it calls, this flow works for all merchants. For what is shared among them,
    /// and for the few things that are another's by consent; a test knows every place that says so.
    /// </summary>
    public static Scope ForAll() => new(Everybody);

    /// <summary>
    /// As the other, for one merchant: where a request proves by something else than a key whose it is.
    /// </summary>
    public static Scope For(MerchantId merchant) => new(merchant.Value.ToString());

    /// <summary>From here on this flow runs on the merchant's behalf.</summary>
    internal static void Enter(MerchantId merchant) => Flow.Value = merchant.Value.ToString();

    /// <summary>From here on this flow runs for somebody whom nobody knows.</summary>
    internal static void EnterUnknown() => Flow.Value = Nobody;

    /// <summary>
    /// Says on the connection, which is in no transaction, for whom it is used from now on; one that was told the same
    /// before is not told again. What was said stays when the pool has it back.
    /// </summary>
    internal static async Task TellAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        if (IsToTell(connection, out var session, out var whom))
        {
            await using var command = Command(connection, whom);
            await command.ExecuteNonQueryAsync(cancel);
            Told.AddOrUpdate(session, whom);
        }
    }

    /// <summary>As the other, for a thread that blocks.</summary>
    public static void Tell(NpgsqlConnection connection)
    {
        if (IsToTell(connection, out var session, out var whom))
        {
            using var command = Command(connection, whom);
            command.ExecuteNonQuery();
            Told.AddOrUpdate(session, whom);
        }
    }

    private static bool IsToTell(NpgsqlConnection connection, out object session, out string whom)
    {
        (session, whom) = (connection.PostgresParameters, Flow.Value ?? Everybody);
        if (Told.TryGetValue(session, out var last) && last == whom)
        {
            return false;
        }

        // Until it has heard, nobody knows what it was told.
        Told.Remove(session);
        return true;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string whom)
    {
        if (whom == Everybody)
        {
            return new NpgsqlCommand(Sql.TellAll, connection);
        }

        var command = new NpgsqlCommand(Sql.Tell, connection);
        command.Parameters.Add(new NpgsqlParameter<string>("Setting", Setting));
        command.Parameters.Add(new NpgsqlParameter<string>("Whom", whom));
        return command;
    }

    /// <summary>For whom the flow works until this is disposed of.</summary>
    public readonly struct Scope : IDisposable
    {
        private readonly string? before;

        internal Scope(string whom)
        {
            before = Flow.Value;
            Flow.Value = whom;
        }

        public void Dispose() => Flow.Value = before;
    }

    private static class Sql
    {
        public const string Tell = "SELECT set_config(@Setting, @Whom, false)";

        // By its text the two are told apart in what is logged and counted of statements.
        public const string TellAll = "SELECT set_config('localplus.merchant', 'all', false)";
    }
}

/// <summary>The endpoint works on what is another merchant's by consent.</summary>
internal sealed record AcrossMerchants;

/// <summary>
/// Says for whom a request works, once it is known who sent it: a merchant's for that merchant, unless its endpoint is
/// for several; an operator's, and whatever comes through the sidecar, for all; anybody else's for nobody.
/// </summary>
internal sealed class RowSecurityGate(RequestDelegate next, IConfiguration configuration)
{
    private readonly int publicPort = Ports.PublicPort(configuration);

    public async Task InvokeAsync(HttpContext http)
    {
        if (http.Items[typeof(MerchantIdentity)] is MerchantIdentity caller)
        {
            if (http.GetEndpoint()?.Metadata.GetMetadata<AcrossMerchants>() is null)
            {
                RowSecurity.Enter(caller.MerchantId);
            }
        }
        else if (http.Connection.LocalPort == publicPort && !Authentication.Roles.Any(http.User.IsInRole))
        {
            RowSecurity.EnterUnknown();
        }

        await next(http);
    }
}

/// <summary>Says which endpoints have no second lock.</summary>
public static class RowSecurityConventions
{
    /// <summary>
    /// The endpoint works on what is another merchant's by consent (a coalition): only its statements say whose. A test
    /// knows every endpoint that does.
    /// </summary>
    public static TBuilder WorksAcrossMerchants<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AcrossMerchants());
}
