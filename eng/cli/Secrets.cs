using System.Security.Cryptography;

namespace LocalPlus.Cli;

/// <summary>
/// Every password and key of this checkout, made once (keys.json) and handed to the services through the Dapr secret
/// store's file (secrets.json), which is rendered anew at each start because it names ports.
/// </summary>
internal sealed class Secrets
{
    private const string KeysFile = "keys.json";
    private const int KeyBytes = 32;

    private readonly Checkout _checkout;
    private readonly Dictionary<string, string> _keys;

    public Secrets(Checkout checkout)
    {
        _checkout = checkout;
        _keys = checkout.Read<Dictionary<string, string>>(KeysFile) ?? [];
    }

    public string PostgresPassword => Password("postgres");

    public string ValkeyPassword => Password("valkey");

    public string ValkeyUserPassword => Password("valkey_user");

    public string DaprApiToken => Password("dapr_api_token");

    public string WorkflowPassword => Password("workflow");

    /// <summary>What a service's own sidecar shows at its app port; no other service's would do there.</summary>
    public string AppApiToken(string app) => Password($"app_api_token_{app}");

    public string RolePassword(string role) => Password($"role_{role}");

    /// <summary>Writes secrets.json, as the local file store of Dapr wants it.</summary>
    /// <param name="ports">Those of this stack.</param>
    /// <param name="byTls">The components ask for Valkey's door with TLS and a user.</param>
    public void Render(Ports ports, bool byTls = false)
    {
        var secrets = Entries(ports);
        if (byTls)
        {
            AddCloudDoor(secrets, ports);
        }

        _checkout.Write("secrets.json", secrets);
        _checkout.WriteText(Path.GetFileName(_checkout.LogKey), PublicPem(secrets["ledger"]["checkpoint_key"]));
        _checkout.WriteText(Path.GetFileName(_checkout.AuditKey), PublicPem(secrets["merchant"]["checkpoint_key"]));
    }

    /// <summary>What the services and the components ask of the secret store: entry, and text by key.</summary>
    public Dictionary<string, Dictionary<string, string>> Entries(Ports ports)
    {
        var secrets = new Dictionary<string, Dictionary<string, string>>();
        foreach (var app in Checkout.Apps)
        {
            secrets[app] = new Dictionary<string, string>
            {
                ["database"] = Database(app, app, ports),
                ["fingerprint_keys"] = $"1:{Key($"fingerprint_key_{app}")}",
            };
        }

        secrets["ledger"]["checkpoint_key"] = SigningKey("checkpoint_key");
        secrets["console"]["session_keys"] = $"1:{Key("session_key")}";
        secrets["giftcard"]["code_pepper"] = Key("code_pepper");
        secrets["merchant"]["checkpoint_key"] = SigningKey("audit_checkpoint_key");
        secrets["merchant"]["key_pepper"] = Key("key_pepper");
        secrets["notification"]["address_key"] = Key("address_key");
        secrets["notification"]["webhook_keys"] = $"1:{Key("webhook_key")}";
        secrets["wallet"]["pii_key"] = Key("pii_key");
        secrets["components"] = new Dictionary<string, string>
        {
            ["valkey_host"] = $"127.0.0.1:{ports.Valkey}",
            ["valkey_password"] = ValkeyPassword,
            ["workflowstore"] =
                $"host=127.0.0.1 port={ports.Postgres} user=workflow password={WorkflowPassword} "
                + "dbname=workflow sslmode=disable",
        };
        return secrets;
    }

    /// <summary>
    /// What components of clouds call the same: keys of one entry, or an entry for each text.
    /// </summary>
    private void AddCloudDoor(Dictionary<string, Dictionary<string, string>> secrets, Ports ports)
    {
        var components = secrets["components"];
        components["valkey_host"] = $"127.0.0.1:{ports.ValkeyTls}";
        components["valkey_user"] = ValkeyDoor.User;
        components["valkey_password"] = ValkeyUserPassword;
        foreach (var (key, text) in components)
        {
            var name = $"components-{key.Replace('_', '-')}";
            secrets[name] = new() { [name] = text };
        }
    }

    /// <summary>
    /// The credential of a schema's owner, which no secret store holds here: it is handed to the migration alone.
    /// </summary>
    public string OwnerDatabase(string app, Ports ports) => Database(app, $"{app}_owner", ports);

    public string Database(string database, string role, Ports ports) =>
        $"Host=127.0.0.1;Port={ports.Postgres};Database={database};Username={role};Password={RolePassword(role)}";

    /// <summary>Letters and digits only: it goes into connection strings and configuration files.</summary>
    private string Password(string name) =>
        Keep(
            name,
            () => RandomNumberGenerator.GetString("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", KeyBytes)
        );

    private string Key(string name) =>
        Keep(name, () => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes)));

    /// <summary>A private key of P-256 in PKCS #8.</summary>
    private string SigningKey(string name) =>
        Keep(
            name,
            () =>
            {
                using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                return Convert.ToBase64String(key.ExportPkcs8PrivateKey());
            }
        );

    private static string PublicPem(string privateKey)
    {
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(privateKey), out _);
        return key.ExportSubjectPublicKeyInfoPem() + "\n";
    }

    private string Keep(string name, Func<string> make)
    {
        if (!_keys.TryGetValue(name, out var value))
        {
            value = _keys[name] = make();
            _checkout.Write(KeysFile, _keys);
        }

        return value;
    }
}
