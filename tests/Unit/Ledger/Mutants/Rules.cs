using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace LocalPlus.Tests.Unit.Ledger.Mutants;

/// <summary>
/// The posting rules (Books and Operations, which need nothing else) compiled from source with one change, and the
/// tests of the rules run on what comes out, in this process.
/// </summary>
internal sealed class Rules
{
    private const string Program = "LocalPlus.Ledger";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);
    private static readonly Assembly Tests = typeof(Rules).Assembly;

    /// <summary>The quick ones first: they kill most.</summary>
    private static readonly Type[] Suites =
    [
        typeof(RuleTests),
        typeof(LimitTests),
        typeof(BookTests),
        typeof(BatchTests),
        typeof(SpendTests),
        typeof(OwnerTests),
        typeof(LinkedReversalTests),
        typeof(ModelSample),
    ];

    private readonly CSharpCompilation compilation;

    public Rules(string ledger)
    {
        var options = new CSharpParseOptions(LanguageVersion.Preview);
        string[] files =
        [
            .. Directory.EnumerateFiles(Path.Combine(ledger, "Books"), "*.cs"),
            .. Directory.EnumerateFiles(Path.Combine(ledger, "Operations"), "*.cs"),
            Path.Combine(ledger, "LedgerLimits.cs"),
            Path.Combine(ledger, "Faults.cs"),
        ];
        Sources =
        [
            .. files
                .Order(StringComparer.Ordinal)
                .Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), options, file)),
        ];
        var usings = CSharpSyntaxTree.ParseText(
            $"""
            global using System; global using System.Collections.Generic; global using System.Linq; global using System.Threading.Tasks;
            [assembly: System.Runtime.CompilerServices.InternalsVisibleTo("{Tests.GetName().Name}")]
            """,
            options
        );
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Concat(Directory.EnumerateFiles(AppContext.BaseDirectory, "LocalPlus.*.dll"))
            .Where(path => Path.GetFileNameWithoutExtension(path) != Program)
            .DistinctBy(Path.GetFileName, StringComparer.Ordinal);
        compilation = CSharpCompilation.Create(
            Program,
            [usings, .. Sources],
            [.. references.Select(path => MetadataReference.CreateFromFile(path))],
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary,
                checkOverflow: true,
                optimizationLevel: OptimizationLevel.Release,
                nullableContextOptions: NullableContextOptions.Enable
            )
        );
    }

    public IReadOnlyList<SyntaxTree> Sources { get; }

    /// <summary>Null when it does not compile, which is no mutant; otherwise whether a test fails on it.</summary>
    public bool? IsKilled(Mutant mutant) =>
        Compile(compilation.ReplaceSyntaxTree(mutant.Tree, mutant.Apply())) is { } program
            ? Fails(program, Limit)
            : null;

    /// <summary>What fails on the rules as they are.</summary>
    public bool FailsUnchanged() =>
        Fails(
            Compile(compilation)
                ?? throw new InvalidOperationException("The rules do not compile on their own any more."),
            Timeout.InfiniteTimeSpan
        );

    private static byte[]? Compile(CSharpCompilation changed)
    {
        using var program = new MemoryStream();
        return changed.Emit(program).Success ? program.ToArray() : null;
    }

    /// <summary>A mutant may never end: one that takes too long is as dead as one that fails.</summary>
    private static bool Fails(byte[] program, TimeSpan limit)
    {
        var run = Task.Run(() =>
        {
            var context = new Context(program);
            var tests = context.LoadFromAssemblyPath(Tests.Location);
            return Suites.Any(suite => Fails(tests.GetType(suite.FullName!)!));
        });
        return !run.Wait(limit) || run.GetAwaiter().GetResult();
    }

    private static bool Fails(Type suite) =>
        suite
            .GetMethods()
            .Where(method =>
                method.DeclaringType == suite
                && (method.IsStatic || method.GetCustomAttribute<FactAttribute>() is not null)
            )
            .Any(method => Arguments(method).Any(arguments => Fails(suite, method, arguments)));

    private static IEnumerable<object?[]> Arguments(MethodInfo method) =>
        method
            .GetCustomAttributes<InlineDataAttribute>()
            .Select(data => data.GetData(method).Single())
            .DefaultIfEmpty([]);

    private static bool Fails(Type suite, MethodInfo method, object?[] arguments)
    {
        try
        {
            method.Invoke(method.IsStatic ? null : Activator.CreateInstance(suite), arguments);
            return false;
        }
        catch (TargetInvocationException)
        {
            return true;
        }
    }

    /// <summary>The tests' assembly once more, bound to the changed rules; all else is shared.</summary>
    private sealed class Context(byte[] program) : AssemblyLoadContext(isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName assemblyName) =>
            assemblyName.Name == Program ? LoadFromStream(new MemoryStream(program)) : null;
    }
}
