"""`python -m temporal_dsql_deploy` is the command `dsql-deploy`."""

from temporal_dsql_deploy.cli.main import main

if __name__ == "__main__":
    main()
