namespace LocalPlus.Client.Profiles;

/// <summary>What `up` leaves in the folder of a checkout's state about the stack that it started.</summary>
internal sealed record LocalStack(string Url, string Issuer, string ApiKey, string OperatorKeyFile);

/// <summary>
/// The stack of the checkout in which one stands, without setting up anything. Its sign-in is kept in the checkout, as
/// everything of the stack is.
/// </summary>
internal static class LocalProfile
{
    public const string Name = "local";

    public const string StackFile = "profile.json";
    private const string SignInFile = "sign-in.json";
    private const string StateFolder = ".localplus";
    private const string Mark = "LocalPlus.sln";

    /// <summary>Null outside a checkout, and where no stack was ever started.</summary>
    public static Profile? Find() =>
        Folder() is { } state
        && SecretFile.Read(Path.Combine(state, StackFile), StoredJson.Default.LocalStack) is { } stack
            ? new Profile(Name, stack.Url)
            {
                Issuer = stack.Issuer,
                ApiKey = stack.ApiKey,
                OperatorKeyFile = stack.OperatorKeyFile,
                SignIn = SecretFile.Read(Path.Combine(state, SignInFile), StoredJson.Default.SignIn),
            }
            : null;

    public static void Write(string state, LocalStack stack) =>
        SecretFile.Write(Path.Combine(state, StackFile), stack, StoredJson.Default.LocalStack);

    /// <summary>Null signs out.</summary>
    public static void Keep(SignIn? signIn)
    {
        var file = Path.Combine(Folder()!, SignInFile);
        if (signIn is null)
        {
            File.Delete(file);
            return;
        }

        SecretFile.Write(file, signIn, StoredJson.Default.SignIn);
    }

    /// <summary>LP_STATE_DIR and LP_ROOT, else the checkout around the current folder.</summary>
    private static string? Folder()
    {
        if (Environment.GetEnvironmentVariable("LP_STATE_DIR") is { Length: > 0 } state)
        {
            return Path.GetFullPath(state);
        }

        if (Environment.GetEnvironmentVariable("LP_ROOT") is { Length: > 0 } root)
        {
            return Path.Combine(root, StateFolder);
        }

        for (var at = new DirectoryInfo(Environment.CurrentDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, Mark)))
            {
                return Path.Combine(at.FullName, StateFolder);
            }
        }

        return null;
    }
}
